"""A ledger of memory: blocks by kind, who still holds them, and the moment at which most is held."""

from dataclasses import dataclass

KINDS: tuple[str, ...] = ("activations", "parameters", "gradients", "optimizer", "batch", "workspace")


@dataclass(eq=False)
class Block:
    """So many bytes of a kind, freed when the last of its holders lets go."""

    kind: str
    size: int
    holders: int = 1


class Ledger:
    """What is held, in bytes by kind, and what was held at the peak."""

    def __init__(self) -> None:
        self._held = dict.fromkeys(KINDS, 0)
        self._total = 0
        self._most = 0
        self.peak = dict(self._held)

    def hold(self, kind: str, size: int) -> Block:
        """A new block with one holder."""
        self._held[kind] += size
        self._total += size
        self._note(0)
        return Block(kind, size)

    def share(self, block: Block) -> Block:
        """The same block with a holder more."""
        block.holders += 1
        return block

    def drop(self, *blocks: Block) -> None:
        """One holder less of each block."""
        for block in blocks:
            block.holders -= 1
            if not block.holders:
                self._held[block.kind] -= block.size
                self._total -= block.size

    def touch(self, size: int) -> None:
        """Workspace that comes and goes at once."""
        self._note(size)

    def _note(self, workspace: int) -> None:
        if self._total + workspace > self._most:
            self._most = self._total + workspace
            self.peak = dict(self._held)
            self.peak["workspace"] += workspace
