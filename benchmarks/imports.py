"""How many CNNs of torchvision and timm become native networks that give the same numbers.

Every model gets random weights, with all its constant ones (scales of 1, of 1e-6, shifts of 0) drawn
anew so that no branch is too faint to tell, and goes through `from_torch`, which compares the outputs.
Each result is a line of the file that `--resume` reads; the table is `docs/imports.md`.
"""

import argparse
import json
import multiprocessing
import re
import resource
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

LINES = Path(__file__).parent / "results" / "imports.jsonl"
TABLE = Path(__file__).parents[1] / "docs" / "imports.md"
SECONDS, GIGABYTES, SMALL = 120, 14, 96
# Of weights: what is tried first, and what is not tried at all.
FEW, MANY = 30, 200

NOT_CNNS = {"torchvision": ("vit_", "swin_", "maxvit_")}
# timm's files of networks that convolve and pool, some with a little attention.
# fmt: off
CNN_FILES = [
    "byoanet", "byobnet", "convmixer", "convnext", "cspnet", "cspnext", "densenet", "dla", "dpn",
    "efficientnet", "fasternet", "fastvit", "focalnet", "ghostnet", "hardcorenas", "hgnet", "hrnet",
    "inception_next", "inception_resnet_v2", "inception_v3", "inception_v4", "lcnetv2", "mambaout",
    "metaformer", "mobilenetv3", "mobilenetv5", "nasnet", "nfnet", "pnasnet", "rdnet", "regnet",
    "repghost", "repvit", "res2net", "resnest", "resnet", "resnetv2", "rexnet", "selecsls", "senet",
    "sknet", "starnet", "tresnet", "vgg", "vovnet", "xception", "xception_aligned",
]
# fmt: on


def names(family: str) -> list[str]:
    """The family's CNNs; timm's with its files in turn, so that a run cut short has seen all of them."""
    if family == "torchvision":
        import torchvision

        every = torchvision.models.list_models(module=torchvision.models)
        return [name for name in every if not name.startswith(NOT_CNNS[family])]
    import timm
    from timm.models import model_entrypoint

    files: dict[str, list[str]] = defaultdict(list)
    for name in timm.list_models():
        files[model_entrypoint(name).__module__.rsplit(".", 1)[-1]].append(name)
    chosen = [files[file] for file in CNN_FILES if file in files]
    return [name for row in zip_longest(*chosen) for name in row if name is not None]


def made(family: str, name: str) -> Any:
    if family == "timm":
        import timm

        return timm.create_model(name)
    import torchvision

    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, **extra)


def sizes(family: str, module: Any) -> list[int]:
    """Small to save time, then the model's own in case the small one is what doesn't fit."""
    if family == "torchvision":
        return [SMALL, 224]
    known = module.pretrained_cfg
    own = known["input_size"][1]
    if known.get("fixed_input_size"):
        return [own]
    least = (known.get("min_input_size") or (3, SMALL, SMALL))[1]
    return sorted({min(own, max(SMALL, least)), own})


def unlike(module: Any) -> Any:
    """The module with numbers in place of every weight and statistic that says nothing."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for tensor in (*module.parameters(), *module.buffers()):
        if not tensor.is_floating_point() or not tensor.numel() or tensor.min() != tensor.max():
            continue
        if tensor.flatten()[0] == 0:
            tensor.data.normal_(0, 0.1, generator=generator)
        else:
            tensor.data.uniform_(0.5, 1, generator=generator)
    return module


def tried(family: str, name: str, most: int) -> dict[str, Any]:
    import torch

    from striate.build.importing import from_torch
    from striate.core import Shape, UsageError

    torch.manual_seed(0)
    try:
        with torch.device("meta"):
            millions = sum(weight.numel() for weight in made(family, name).parameters()) / 1e6
    except (RuntimeError, NotImplementedError):  # it computes while it is made
        millions = 0.0
    told: dict[str, Any] = {"family": family, "name": name, "millions": round(millions, 2)}
    if millions > most:
        return told | {"reason": f"not tried: more than {most} million weights"}
    module = unlike(made(family, name))
    for size in sizes(family, module):
        began = time.perf_counter()
        try:
            network = from_torch(module, Shape((size, size), 3)).network
        except UsageError as error:
            told |= {"size": size, "reason": str(error)}
        else:
            told.pop("reason", None)
            return told | {
                "size": size,
                "nodes": len(network),
                "seconds": round(time.perf_counter() - began, 2),
            }
    return told


def worker(pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30, GIGABYTES << 30))
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    while True:
        family, name, most = pipe.recv()
        try:
            pipe.send(tried(family, name, most))
        except Exception as error:  # noqa: BLE001 - a model that can't be made is a result too
            pipe.send({"family": family, "name": name, "reason": f"crashed: {type(error).__name__}: {error}"})


def results(wanted: list[tuple[str, str]], most: int) -> Iterator[dict[str, Any]]:
    """One model after the other in a process of their own, which a model that takes too long ends."""
    context = multiprocessing.get_context("spawn")
    process = None
    for family, name in wanted:
        if process is None or not process.is_alive():
            pipe, other = context.Pipe()
            process = context.Process(target=worker, args=(other,), daemon=True)
            process.start()
            other.close()
        pipe.send((family, name, most))
        try:
            if pipe.poll(SECONDS):
                yield pipe.recv()
                continue
            reason = f"not tried: takes more than {SECONDS} s"
        except EOFError:
            reason = "not tried: takes more memory than there is"
        process.kill()
        process.join()
        yield {"family": family, "name": name, "reason": reason}
    if process is not None:
        process.kill()


def group(reason: str) -> str:
    """A reason without what belongs to one model alone."""
    found = re.search(r"uses (\S+?), (.*)", reason)
    if found:
        why = re.sub(r"\d+(×\d+)*", "n", found[2].split(";")[0])
        return f"`{found[1]}`, {why}"
    if reason.startswith("not tried"):
        return reason
    return re.sub(r"\d[\d.e+×-]*", "n", re.sub(r"^\w+ (and its|fails|gives)", r"it \1", reason))[:160]


def table(lines: list[dict[str, Any]]) -> list[str]:
    text: list[str] = []
    for family in ("torchvision", "timm"):
        own = [line for line in lines if line["family"] == family]
        good = [line for line in own if "reason" not in line]
        if not own:
            continue
        left = len(names(family)) - len(own)
        untried = f" ({left} more not tried)" if left else ""
        text += [f"## {family}: {len(good)} of {len(own)} CNNs{untried}", ""]
        reasons = Counter(group(line["reason"]) for line in own if "reason" in line)
        if reasons:
            text += ["| why not | models | such as |", "| --- | --- | --- |"]
        for reason, count in reasons.most_common():
            some = [line["name"] for line in own if group(line.get("reason", "")) == reason][:4]
            text.append(f"| {reason.replace('|', '/')} | {count} | {', '.join(some)} |")
        text += [""] * bool(reasons) + [
            "Imported: " + ", ".join(sorted(line["name"] for line in good)) + ".",
            "",
        ]
    return text


def report(lines: list[dict[str, Any]]) -> str:
    import timm
    import torchvision
    from common import machine  # not above: every worker imports this file

    head = [
        "# Models from elsewhere",
        "",
        "Which CNNs `from_torch` turns into native networks whose outputs equal the original's to 1e-4 of "
        "their size, with random weights. Written by `benchmarks/imports.py`, which says what is a CNN and "
        "which input sizes are used.",
        "",
        f"{machine()}, torchvision {torchvision.__version__}, timm {timm.__version__}",
        "",
    ]
    return "\n".join(head + table(lines)).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=("torchvision", "timm"), action="append")
    parser.add_argument("--limit", type=int, help="try at most so many models")
    parser.add_argument("--resume", action="store_true", help="keep the results that there are")
    parser.add_argument(
        "--again", default="", help="with --resume, try again what was refused with a reason that matches"
    )
    parser.add_argument("--only", default="", help="names that match this regular expression")
    parser.add_argument("--lines", type=Path, default=LINES)
    parser.add_argument("--table", type=Path, default=TABLE)
    given = parser.parse_args()
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    if given.resume and given.lines.exists():
        for text in given.lines.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            kept[line["family"], line["name"]] = line
        if given.again:
            kept = {
                key: line for key, line in kept.items() if not re.search(given.again, line.get("reason", ""))
            }
    families = given.family or ["torchvision", "timm"]
    wanted = [(family, name) for family in families for name in names(family)]
    wanted = [one for one in wanted if one not in kept and re.search(given.only, one[1])][: given.limit]
    given.lines.parent.mkdir(exist_ok=True)
    given.lines.write_text("".join(json.dumps(line) + "\n" for line in kept.values()), encoding="utf-8")
    with given.lines.open("a", encoding="utf-8") as file:
        for most in (FEW, MANY):
            large: list[tuple[str, str]] = []
            for line in results(wanted, most):
                if most == FEW and line.get("millions", 0) > FEW:
                    large.append((line["family"], line["name"]))
                    continue
                kept[line["family"], line["name"]] = line
                file.write(json.dumps(line) + "\n")
                file.flush()
                print(line["name"], line.get("reason", f"ok, {line.get('seconds')} s"), flush=True)
            wanted = large
    given.table.write_text(report(list(kept.values())), encoding="utf-8")


if __name__ == "__main__":
    main()
