"""The sanity check of Adebayo et al. 2018: a map that outlives the weights shows the picture alone.

Legend: H height, W width.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

from striate.build import build
from striate.graph import Weighted
from striate.look.subject import Subject

# Not a seed that trainings start from: a short one stays near the weights it was given.
_SEED = 2018


def randomised(subject: Subject, *, stages: int = 3, seed: int = _SEED) -> Iterator[tuple[str, Subject]]:
    """The subject with ever more nodes drawn anew, from the scores down to the first layer.

    Each comes with the name of the lowest node that is new. It is a copy: the subject stays as it is, but one
    copy serves all stages, so use each before asking for the next.
    """
    nodes = [node.name for node in reversed(subject.network.nodes) if isinstance(node.layer, Weighted)]
    module = deepcopy(subject.module)
    fresh = build(subject.network, seed=seed, device=subject.device)
    stages = min(stages, len(nodes))
    done = 0
    for stage in range(1, stages + 1):
        until = -(-len(nodes) * stage // stages)
        for name in nodes[done:until]:
            module[name].load_state_dict(fresh[name].state_dict())
        done = until
        yield nodes[done - 1], replace(subject, module=module)
