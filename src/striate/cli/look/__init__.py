"""`striate look …`: one file a view, each imported when it is asked for."""

from cyclopts import App

_VIEWS = {
    "conv": "A convolution's arithmetic, product by product: text, PNG and GIF.",
    "kernels": "What the named kernels make of a picture, side by side.",
    "xo": "X against O by prescribed filters and match maps, and by learned ones.",
    "filters": "A layer's filters as pictures, dead and duplicate ones marked.",
    "maps": "A node's feature maps for a picture.",
    "patches": "What makes each feature map respond most, and its reconstruction.",
    "stats": "Activation statistics of every node, and dead units.",
    "maximize": "Made pictures to which a feature map or class responds most.",
    "embedding": "A data set in a node's feature space, drawn in two dimensions.",
    "why": "Why an answer was given: attributions over the picture, and how faithful they are.",
    "transfer": "How far what a network has learned serves other data, stage by stage.",
    "invariance": "How the answer bears shift, rotation, scale, noise, blur and JPEG.",
    "failures": "Where a run fails: mistakes, confusions, doubtful labels, calibration.",
}

look_command = App(
    name="look", help="Look inside a network and at what it computes.", help_format="plaintext"
)
for _view, _help in _VIEWS.items():
    look_command.command(f"striate.cli.look.{_view}:{_view}_command", name=_view, help=_help)
