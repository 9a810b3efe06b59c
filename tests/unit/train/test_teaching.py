"""Distillation from another run."""

import numpy as np
import pytest
import torch

from striate.core import RunError, UsageError
from striate.train import resume, testing
from striate.train.distillation import Teacher

STUDENT = "8x8x1 | conv 2 3 relu | flatten | dense"
TEACHER = "6x6x1 | conv 8 3 relu | flatten | dense"


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


@pytest.fixture
def teacher(trained):
    return trained(TEACHER, epochs=8)


def test_blended_loss_is_that_of_the_paper():
    teacher = Teacher(torch.nn.Module(), "out", (), temperature=3.0, weight=0.7)
    student, taught, loss = torch.randn((5, 4)), torch.randn((5, 4)), torch.tensor(1.3)
    soft = (taught / 3).softmax(dim=1)
    distance = (soft * (soft.log() - (student / 3).log_softmax(dim=1))).sum(dim=1).mean()
    torch.testing.assert_close(teacher.blended(loss, student, taught), 0.3 * loss + 0.7 * 9 * distance)


def test_a_student_comes_near_to_its_teacher(trained, teacher):
    alone = trained(STUDENT, epochs=20)
    taught = trained(STUDENT, epochs=20, teacher=str(teacher.path), teaching=1.0, temperature=2.0)

    def distance(run):
        one, other = (r.predictions()["scores"].astype(np.float64) for r in (run, teacher))
        shares = [np.exp(s) / np.exp(s).sum(axis=1, keepdims=True) for s in (one, other)]
        return np.abs(shares[0] - shares[1]).mean()

    assert distance(taught) < 0.8 * distance(alone)
    assert taught.manifest.recipe["teacher"] == str(teacher.path.resolve())


def test_the_teacher_sees_its_own_preparation_of_the_same_augmented_pictures(trained, teacher, monkeypatch):
    seen = []

    def scores(self, inputs, original=Teacher.scores):
        seen.append([tuple(tensor.shape[1:]) for tensor in inputs])
        assert not self.module.training
        return original(self, inputs)

    monkeypatch.setattr(Teacher, "scores", scores)
    trained(STUDENT, epochs=1, teacher=str(teacher.path), flip=True, cutmix=1.0)
    assert seen == [[(1, 6, 6)]] * 3


def test_taught_training_goes_on_exactly(trained, teacher, stopping_after):
    values = {"teacher": str(teacher.path), "shift": 1, "mixup": 0.2}
    whole = trained(STUDENT, **values)
    with stopping_after(4):
        run = trained(STUDENT, **values)
    again = resume(run, device="cpu", quiet=True)
    for name, value in whole.weights("last").items():
        np.testing.assert_array_equal(again.weights("last")[name], value)


def test_teacher_of_other_classes_is_refused(trained, tmp_path, data):
    pictures = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "two.npz", x_train=pictures, y_train=np.arange(40) % 2)
    other = trained("flatten | dense", str(tmp_path / "two.npz"), epochs=1)
    with pytest.raises(UsageError) as caught:
        trained(STUDENT, teacher=str(other.path))
    assert str(caught.value) == (
        f"{other.path.resolve()} tells apart 0, 1, but bars has the classes 0, 1, 2; "
        f"choose a teacher of the same classes"
    )
    assert not (tmp_path / "run-2").exists()


def test_who_cannot_teach_is_told(trained, regression_data, stopping_after, teacher, tmp_path):
    with pytest.raises(UsageError) as caught:
        trained("flatten | dense 2 | regression", regression_data, teacher=str(teacher.path))
    assert str(caught.value) == (
        "a teacher's answers are taught for one output of classes; take the teacher out"
    )
    with pytest.raises(UsageError, match=r"nobody is no run: it has no run.json; name a run's folder$"):
        trained(STUDENT, teacher=str(tmp_path / "nobody"))
    with stopping_after(1):
        stopped = trained(TEACHER)
    with pytest.raises(RunError) as caught:
        trained(STUDENT, teacher=str(stopped.path))
    path = stopped.path.resolve()
    assert str(caught.value) == (
        f"{path} can't teach before it is done; finish it by 'striate resume {path}'"
    )
