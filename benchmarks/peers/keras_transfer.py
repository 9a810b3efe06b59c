"""Keras 3 as its guide "Transfer learning & fine-tuning" trains on small folders of photographs.

The base is frozen, dropout 0.2 and one dense unit learn for 20 epochs under Adam, then all learns for 10 at
1e-5, batch norms keeping their statistics; batch 32, mirroring, rotation by up to a tenth of a turn. The base
is EfficientNet-Lite0 at its 224 pixels in place of Xception at 150.
"""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from keras import layers
from lite0_keras import efficientnet_lite0
from protocol import parser, tell

SIDE, BATCH, PREFETCHED = 224, 32, 10
FROZEN_EPOCHS, EPOCHS = 20, 10


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--weights", required=True)
    words.add_argument("--epochs", type=int, default=EPOCHS, help="of all; twice as many of the head before")
    given = words.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    tf.config.threading.set_inter_op_parallelism_threads(given.threads)
    keras.utils.set_random_seed(given.seed)

    began = time.perf_counter()
    train, val = (
        keras.utils.image_dataset_from_directory(
            given.data / split,
            label_mode="binary",
            batch_size=None,
            image_size=(SIDE, SIDE),
            shuffle=False,
            verbose=False,
        ).cache()
        for split in ("train", "val")
    )
    count = int(train.cardinality())
    train = train.shuffle(count).batch(BATCH).prefetch(PREFETCHED)
    val = val.batch(BATCH).prefetch(PREFETCHED)

    base = efficientnet_lite0(given.weights, SIDE)
    base.trainable = False
    image = keras.Input((SIDE, SIDE, 3))
    x = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(image))
    x = base(layers.Rescaling(1 / 127.5, offset=-1)(x), training=False)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, layers.Dense(1)(x))
    frozen = FROZEN_EPOCHS // EPOCHS * given.epochs
    for trainable, rate, epochs in ((False, 1e-3, frozen), (True, 1e-5, given.epochs)):
        base.trainable = trainable
        model.compile(
            optimizer=keras.optimizers.Adam(rate),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
        )
        told = model.fit(train, epochs=epochs, validation_data=val, verbose=0)
    seconds = time.perf_counter() - began

    reached = told.history["val_binary_accuracy"][-1]
    tell(
        seconds=seconds,
        accuracy=reached,
        last_accuracy=reached,
        threads=given.threads,
        packages=("keras", "tensorflow-cpu"),
        remark=f"fp32, {frozen} + {given.epochs} epochs, {count} pictures",
    )


if __name__ == "__main__":
    main()
