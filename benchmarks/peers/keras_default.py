"""The convnets of Keras's own examples for a given time.

Pictures up to 64 pixels: "Simple MNIST convnet" (Adam, batch 128, pictures divided by 255). Larger ones: the
small Xception of "Image classification from scratch" (180×180, mirrored and rotated by up to a tenth of a
turn, Adam at 0.001; batch 32, the default of Keras's reader of folders, for the example's 128 is half of a
small set). Their numbers of epochs, 15 and 25, give way to the time.
"""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from protocol import Arrays, arrays, parser, tell

LARGEST_SMALL, MANY_EPOCHS = 64, 100_000


class Deadline(keras.callbacks.Callback):
    """Ends the training with the step during which its time is over; so many `steps` were made."""

    def __init__(self, began: float, seconds: float) -> None:
        super().__init__()
        self._end = began + seconds
        self.steps = 0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.steps += 1
        if time.perf_counter() >= self._end:
            self.model.stop_training = True


def convnet(shape: tuple[int, int, int], classes: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(shape=shape),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def _normed(layer: layers.Layer, x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.BatchNormalization()(layer(x))


def xception(shape: tuple[int, int, int], classes: int) -> keras.Model:
    image = keras.Input(shape=shape)
    x = layers.Rescaling(1.0 / 255)(image)
    x = layers.Activation("relu")(_normed(layers.Conv2D(128, 3, strides=2, padding="same"), x))
    shortcut = x
    for size in (256, 512, 728):
        for _ in range(2):
            x = layers.Activation("relu")(x)
            x = _normed(layers.SeparableConv2D(size, 3, padding="same"), x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        shortcut = layers.Conv2D(size, 1, strides=2, padding="same")(shortcut)
        shortcut = x = layers.add([x, shortcut])
    x = layers.Activation("relu")(_normed(layers.SeparableConv2D(1024, 3, padding="same"), x))
    x = layers.Dropout(0.25)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def model_of(pictures: Arrays) -> keras.Model:
    shape, classes = pictures.x_train.shape[1:], int(pictures.y_train.max()) + 1
    make = convnet if shape[0] <= LARGEST_SMALL else xception
    model = make(shape, classes)
    model.compile(
        loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(1e-3), metrics=["accuracy"]
    )
    return model


def rows_of(pictures: Arrays) -> tuple[tf.data.Dataset, int]:
    """The training pictures in batches, and how many batches there are."""
    if pictures.x_train.shape[1] <= LARGEST_SMALL:
        batch, scaled = 128, pictures.x_train.astype("float32") / 255
    else:
        batch, scaled = 32, pictures.x_train
    count = len(scaled)
    rows = tf.data.Dataset.from_tensor_slices((scaled, pictures.y_train)).shuffle(count).batch(batch)
    if scaled.dtype == np.uint8:
        augment = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
        rows = rows.map(
            lambda x, y: (augment(tf.cast(x, tf.float32), training=True), y),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    return rows.prefetch(tf.data.AUTOTUNE), -(-count // batch)


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--seconds", type=float, required=True)
    given = words.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    tf.config.threading.set_inter_op_parallelism_threads(given.threads)
    pictures = arrays(given.data)
    keras.utils.set_random_seed(given.seed)
    few = Arrays(*(array[:128] for array in pictures))
    model_of(pictures).fit(rows_of(few)[0].take(1), verbose=0)

    began = time.perf_counter()
    model = model_of(pictures)
    rows, steps = rows_of(pictures)
    deadline = Deadline(began, given.seconds)
    model.fit(rows, epochs=MANY_EPOCHS, callbacks=[deadline], verbose=0)
    seconds = time.perf_counter() - began

    tests = pictures.x_test
    tests = tests.astype("float32") / 255 if tests.shape[1] <= LARGEST_SMALL else tests
    scores = model.predict(tests, batch_size=32, verbose=0)
    tell(
        seconds=seconds,
        accuracy=float((scores.argmax(1) == pictures.y_test).mean()),
        threads=given.threads,
        packages=("keras", "tensorflow-cpu", "numpy"),
        epochs=deadline.steps / steps,
    )


if __name__ == "__main__":
    main()
