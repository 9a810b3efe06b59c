import io
import re
import signal
import threading

import pytest
from rich.console import Console

from striate.train import train, watching
from striate.train.interrupt import stop_asked
from striate.train.loop import Tick
from striate.train.watching import Shown


def test_training_tells_a_line_an_epoch_on_stderr(data, tmp_path, capsys):
    run = train(
        "flatten | dense", data, "small-grey", out=tmp_path / "run", epochs=2, device="cpu", precision="fp32"
    )
    out, err = capsys.readouterr()
    assert out == ""
    first, *epochs = err.splitlines()
    assert first == (
        "bars: train 42, val 6, test 12; network: 195 parameters; 2 epochs, batch 64, adamw; cpu in fp32"
    )
    assert len(epochs) == 2
    for number, line in enumerate(epochs, 1):
        assert re.fullmatch(
            rf"epoch {number}/2  loss \d+\.\d{{4}}  accuracy [\d.]+ %  validation [\d.]+ %  "
            r"validation loss \d+\.\d{4}  [\d,]+ images/s",
            line,
        )
    assert run.manifest.state == "done"


def test_quiet_training_tells_nothing(trained, capsys):
    trained(epochs=1)
    assert capsys.readouterr() == ("", "")


def test_terminal_shows_a_bar_that_goes(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(
        watching, "Console", lambda **_: Console(file=shown, force_terminal=True, width=120, highlight=False)
    )
    with Shown() as watcher:
        watcher.reading(1, 2)
        watcher.tick(Tick(1, 2, 5, 10, 0.5, 0.75, 1234.0, 0.01))
        watcher._bar.refresh()
        watcher.tick(Tick(1, 2, 6, 10, 0.25, None, 1234.0, 0.01))
        watcher._bar.refresh()
    text = shown.getvalue()
    assert "reading pictures" in text
    assert "epoch 1/2" in text
    assert "25 %" in text
    assert "loss 0.5000  accuracy 75.00 %  1,234 images/s" in text
    assert "loss 0.2500  1,234 images/s" in text


def test_line_of_a_regression_has_losses_alone(capsys):
    Shown().epoch({"epoch": 3, "train_loss": 0.5, "val_loss": 0.25, "pictures_per_second": 10.0}, 12)
    assert capsys.readouterr().err == "epoch  3/12  loss 0.5000  validation loss 0.2500  10 images/s\n"


@pytest.mark.parametrize("text", ["[bold]", ":smile:", "x" * 500])
def test_what_is_said_is_printed_as_it_is(capsys, text):
    Shown().say(text)
    assert capsys.readouterr().err == text + "\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_and_the_second_acts_as_before(number):
    heard = []
    before = signal.signal(number, lambda *_: heard.append(number))
    try:
        with stop_asked() as stop:
            assert not stop()
            signal.raise_signal(number)
            assert stop()
            assert heard == []
            signal.raise_signal(number)
            assert heard == [number]
        signal.raise_signal(number)
        assert heard == [number] * 2
    finally:
        signal.signal(number, before)


def test_handlers_are_put_back_after_a_failure():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match=r"^broken$"), stop_asked():
        raise ValueError("broken")
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_are_never_asked(trained):
    states = []
    thread = threading.Thread(target=lambda: states.append(trained(epochs=1).manifest.state))
    thread.start()
    thread.join()
    assert states == ["done"]
