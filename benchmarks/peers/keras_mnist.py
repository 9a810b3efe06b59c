"""Keras 3 on TensorFlow, by the recipe of the lecture network's book: RMSprop, batch 64, 5 epochs."""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf
from keras import layers
from protocol import arrays, parser, tell


def lecture() -> keras.Model:
    image = keras.Input(shape=(28, 28, 1))
    x = layers.Conv2D(filters=32, kernel_size=3, activation="relu")(image)
    x = layers.MaxPooling2D(pool_size=2)(x)
    x = layers.Conv2D(filters=64, kernel_size=3, activation="relu")(x)
    x = layers.MaxPooling2D(pool_size=2)(x)
    x = layers.Conv2D(filters=128, kernel_size=3, activation="relu")(x)
    model = keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--epochs", type=int, default=5)
    given = words.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    tf.config.threading.set_inter_op_parallelism_threads(given.threads)
    pictures = arrays(given.data)
    keras.utils.set_random_seed(given.seed)
    lecture().fit(
        pictures.x_train[:64].astype("float32") / 255, pictures.y_train[:64], batch_size=64, verbose=0
    )

    began = time.perf_counter()
    model = lecture()
    scaled = pictures.x_train.astype("float32") / 255
    model.fit(scaled, pictures.y_train, epochs=given.epochs, batch_size=64, verbose=0)
    seconds = time.perf_counter() - began

    _, accuracy = model.evaluate(pictures.x_test.astype("float32") / 255, pictures.y_test, verbose=0)
    tell(
        seconds=seconds,
        accuracy=accuracy,
        threads=given.threads,
        packages=("keras", "tensorflow-cpu", "numpy"),
        remark=f"fp32, {given.epochs} epochs",
    )


if __name__ == "__main__":
    main()
