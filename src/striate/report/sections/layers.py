"""The network drawn as a graph, and its layers in a table."""

import re

from striate.core import GraphError
from striate.report.material import Material
from striate.report.network import drawn
from striate.report.section import Section, section


def layers(material: Material) -> Section:
    """The graph with its shapes and, below, every layer with what it costs."""
    network, plan = material.network, material.plan
    try:
        # What the preparation takes off stands with the data.
        notation = re.sub(r" (mean|deviation)=\S+", "", network.notation())
    except GraphError:  # several inputs or outputs, or crossing branches
        notation = None
    most = max((row.macs for row in plan.rows), default=0)
    return section(
        "network",
        "The network",
        drawing=drawn(network, plan),
        rows=[(row, row.macs / most if most else 0.0) for row in plan.rows],
        plan=plan,
        notation=notation,
        inputs=[(name, network[name].layer) for name in network.inputs],
    )
