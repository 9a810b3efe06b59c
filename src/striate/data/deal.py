"""Which rows of a batch are one process's, where several processes train one network together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deal:
    """Every `of`-th row from row `rank` on; of one process, all of them.

    Rows are dealt like cards, so that any stretch of a batch is divided as evenly as the whole.
    """

    rank: int = 0
    of: int = 1

    def dealt(self, count: int, start: int = 0) -> slice:
        """This process's rows among `count` rows from row `start` of a batch on.

        Where it has none, the first stands in, so that every process has something to compute.
        """
        first = (self.rank - start) % self.of
        return slice(first, None, self.of) if first < count else slice(1)

    def within(self, start: int, end: int) -> slice:
        """The rows `start` to `end` of the batch, as places among this process's rows of the whole."""
        return slice(-(-(start - self.rank) // self.of), -(-(end - self.rank) // self.of))


WHOLE = Deal()
