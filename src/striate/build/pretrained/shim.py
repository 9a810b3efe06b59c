from striate.build.pretrained import files
from striate.build.pretrained.files import find_weights
from striate.build.pretrained.load import pretrained
from striate.build.pretrained.published import PUBLISHED
from striate.runs import Origin, digest_of_bytes


def published(word, *, axes=None, progress=None):
    p = find_weights(word, PUBLISHED[word])
    return pretrained(word), Origin(
        source=word,
        file=p.name,
        sha256=digest_of_bytes(p.read_bytes()),
        licence="unknown",
        url="",
        trained_on="ImageNet-1k",
    )


def has_weights(name):
    return files.has_weights(name, PUBLISHED[name])
