"""`striate test`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import DATA_HELP, Device, Json, RunPath, Views, print_json


def test_command(
    run: RunPath,
    /,
    *,
    data: Annotated[str | None, Parameter(help=f"{DATA_HELP} Default: the run's own, split as then.")] = None,
    split: Annotated[str | None, Parameter(help="train, val or test. Default: test, else val.")] = None,
    views: Views = 1,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Test a run's best weights: accuracy, top-5, loss, calibration, precision and recall by class.

    Of several outputs each is told by its name.
    """
    from striate.runs import Run
    from striate.train import test

    opened = Run.open(run)
    told = test(opened, data, split=split, views=views, device=device)
    if json:
        results = opened.manifest.results
        known = {
            "run": run,
            "data": data or opened.manifest.data.spec,
            "views": views,
            "train_seconds": results.train_seconds,
            "best_epoch": results.best_epoch,
            "val_accuracy": results.val_accuracy,
            "test_accuracy": results.test_accuracy,
        }
        facts = told.to_dict()
        if told.split != "train" and views == 1:
            known["val_accuracy" if told.split == "val" else "test_accuracy"] = facts.get("accuracy")
        print_json("test", known | facts)
    else:
        print(told)
        if opened.evaluation(told.split) == told.to_dict():
            print(f"\nconfusion matrix and every score: {opened.folder.evaluation(told.split)}")
