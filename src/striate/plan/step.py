"""One training step in time: what is held when, from the batch's arrival to the optimizer's step.

It follows PyTorch's order: volumes go when nobody needs them any more, autograd keeps what its
formulas read, gradients flow back in the reverse order of the layers and go as they are consumed, and
the gradients of weights stay until the optimizer has stepped.
"""

from collections.abc import Iterator

from striate.core import Shape
from striate.graph import InputLayer, Network
from striate.plan.kernels import FULL, LOW, hands_on, scratch
from striate.plan.ledger import Block, Ledger
from striate.plan.nodes import Facts, facts_of, is_cast

_INDEX = 8  # bytes of a label, a token and a maximum's place
_BYTE = 1


class Step:
    """A network's training step, from the second one on, ready to be run for any batch.

    `remembered` is how many numbers the optimizer remembers, `copied` how many it copies as it steps.
    Where a step `accumulates`, the gradients of earlier parts of its batch are there from the start.
    """

    def __init__(
        self, network: Network, *, precision: str, remembered: int, copied: int, accumulates: bool
    ) -> None:
        self.network = network
        self.is_low = precision == "bf16"
        self.remembered, self.copied, self.accumulates = remembered, copied, accumulates
        self.facts = facts_of(network, is_low=self.is_low)

    def run(self, batch: int) -> dict[str, int]:
        """What is held at the peak of a step on `batch` pictures: bytes by kind."""
        return _Run(self, batch).ledger.peak


class _Run:
    """One run through a step; it is over once it is made."""

    def __init__(self, step: Step, batch: int) -> None:
        self.ledger = Ledger()
        self._step, self._batch = step, batch
        self._network, self._facts = step.network, step.facts
        self._volumes: dict[str, Block] = {}
        self._saved: dict[str, list[Block]] = {}
        self._gradients: dict[str, Block] = {}
        self._logits = [step.network.logits(name) for name in step.network.outputs]
        facts = list(step.facts.values())
        trained = sum(one.trained for one in facts)
        self.ledger.hold("parameters", sum(one.weights + one.statistics for one in facts) * FULL)
        self.ledger.hold("optimizer", step.remembered * FULL)
        if step.accumulates:
            self.ledger.hold("gradients", trained * FULL)
        self._receive()
        for one in facts:
            self._forward(one)
        self.ledger.drop(*self._laid_out)
        self._lose()
        for one in reversed(facts):
            if one.node.name in self._gradients:
                self._backward(one)
        self.ledger.touch(step.copied * FULL)

    def _receive(self) -> None:
        """Labels and pixels; where channels lie innermost, a copy of them lasts the forward pass."""
        self.ledger.hold("batch", self._batch * _INDEX)
        self._laid_out: list[Block] = []
        for name in self._network.inputs:
            shape, layer = self._facts[name].node.shape, self._facts[name].node.layer
            assert isinstance(layer, InputLayer)
            each = _INDEX if layer.tokens else FULL if layer.floats else _BYTE
            size = self._batch * shape.size * each
            self.ledger.hold("batch", size)
            # The pixels as they came, until they are augmented or laid out otherwise.
            before = self.ledger.hold("batch", size)
            if self._step.is_low and len(shape.spatial) > 1 and shape.depth > 1:
                self._laid_out.append(before)
            else:
                self.ledger.drop(before)

    def _forward(self, one: Facts) -> None:
        ledger, node = self.ledger, one.node
        if isinstance(node.layer, InputLayer):
            self._volumes[node.name] = ledger.hold("activations", self._batch * one.size)
            ledger.touch(self._batch * one.size)  # before it was scaled
        elif node.layer.is_view:
            self._volumes[node.name] = ledger.share(self._volumes[node.inputs[0]])
        else:
            self._compute(one)
        for name in one.spent:
            if name not in self._network.outputs and name not in self._logits:
                ledger.drop(self._volumes.pop(name))

    def _compute(self, one: Facts) -> None:
        ledger, kept, batch = self.ledger, one.kept, self._batch
        read = list(self._read(one))
        own = [ledger.hold("activations", batch * (kept.values * one.width + kept.indices * _INDEX))]
        if one.is_lowered:
            own.append(ledger.hold("parameters", one.weights * LOW))
        ledger.touch(scratch(one, batch).forward)
        output = self._volumes[one.node.name] = ledger.hold("activations", batch * one.size)
        if one.learns and one.is_reached:
            saved = [*(read if kept.input else ()), *((output,) if kept.output else ()), *own]
            self._saved[one.node.name] = [ledger.share(block) for block in saved]
        ledger.drop(*read, *own)

    def _read(self, one: Facts) -> Iterator[Block]:
        """The volumes that a node takes, or autocast's copies of them."""
        for name in one.node.inputs:
            source = self._facts[name]
            if is_cast(source, one):
                yield self.ledger.hold("activations", self._bytes(source.node.shape, LOW))
            else:
                yield self.ledger.share(self._volumes[name])

    def _lose(self) -> None:
        """The loss in 32 bits: the scores' logarithms, and their gradients one after the other."""
        ledger = self.ledger
        for name in self._logits:
            one = self._facts[name]
            size = self._bytes(one.node.shape, FULL)
            cast = ledger.hold("activations", size if one.width == LOW else 0)
            logarithms = ledger.hold("activations", size)
            ledger.drop(cast)
            ledger.touch(2 * size)
            ledger.drop(logarithms)
            if one.learns:
                self._deliver(one, ledger.hold("gradients", self._batch * one.size))

    def _backward(self, one: Facts) -> None:
        ledger = self.ledger
        gradient = self._gradients.pop(one.node.name)
        is_part = gradient.size > self._batch * one.size
        ledger.touch(scratch(one, self._batch, is_part=is_part).backward)
        results = [
            (source, self._result(source, one, gradient))
            for source in (self._facts[name] for name in one.node.inputs)
            if source.learns
        ]
        weights = ledger.hold("gradients", one.trained * (LOW if one.is_lowered else FULL))
        ledger.drop(gradient, *self._saved.pop(one.node.name, ()))
        if one.is_lowered:
            low, weights = weights, ledger.hold("gradients", one.trained * FULL)
            ledger.drop(low)
        if self._step.accumulates:
            ledger.drop(weights)
        for source, block in results:
            if is_cast(source, one):
                low, block = block, ledger.hold("gradients", self._batch * source.size)
                ledger.drop(low)
            self._deliver(source, block)

    def _result(self, source: Facts, one: Facts, gradient: Block) -> Block:
        """The gradient of a volume that a node took."""
        if hands_on(one.node.layer) and source.width == one.width:
            return self.ledger.share(gradient)
        width = LOW if one.is_lowered else source.width
        return self.ledger.hold("gradients", self._bytes(source.node.shape, width))

    def _deliver(self, one: Facts, block: Block) -> None:
        """Adds to a volume's gradient, in place where nobody else looks at either of the two."""
        ledger = self.ledger
        there = self._gradients.get(one.owner)
        if there is None:
            self._gradients[one.owner] = block
        elif there.holders == 1 and there.size == block.size:
            ledger.drop(block)
        elif block.holders == 1:
            ledger.drop(there)
            self._gradients[one.owner] = block
        else:
            self._gradients[one.owner] = ledger.hold("gradients", self._batch * one.size)
            ledger.drop(there, block)

    def _bytes(self, shape: Shape, width: int) -> int:
        return self._batch * shape.size * width
