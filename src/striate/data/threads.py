"""One piece of work for each picture, spread over all cores; Pillow lets go of the interpreter to decode."""

import os
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Told how many pictures are done, of how many."""

_PICTURES_TRIED = 16
_SECONDS_WORTH_A_THREAD = 0.0002
_PICTURES_A_TASK = 32


@contextmanager
def quiet_pillow() -> Generator[None]:
    """Silences Pillow's warnings: corrupt EXIF and 90 megapixels make no picture unusable.

    Pictures of 180 megapixels or more still raise `PIL.Image.DecompressionBombError`.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def in_threads(work: Callable[[int], Result], count: int, progress: Progress | None = None) -> list[Result]:
    """The results of `work(0)` to `work(count - 1)`, in order.

    `progress(done, count)` is called in the caller's thread; what `work` raises ends it all.
    """
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="pictures")
    try:
        with quiet_pillow():
            # A trial, of as few large pictures as it takes to tell that they are worth it.
            end = perf_counter() + _SECONDS_WORTH_A_THREAD * _PICTURES_TRIED
            results: list[Result] = []
            while len(results) < min(count, _PICTURES_TRIED) and perf_counter() < end:
                results.append(work(len(results)))
            quick = perf_counter() < end
            tasks = [
                range(start, min(start + _PICTURES_A_TASK, count))
                for start in range(len(results), count, _PICTURES_A_TASK)
            ]
            # Small pictures keep the interpreter busy more than the decoder, so threads would queue for it.
            spread = map if quick else pool.map
            if progress is not None:
                progress(len(results), count)
            for part in spread(partial(_work_through, work), tasks):
                results += part
                if progress is not None:
                    progress(len(results), count)
    finally:
        pool.shutdown(cancel_futures=True)
    return results


def ahead(work: Callable[[Item], Result], items: Iterable[Item], count: int) -> Iterator[Result]:
    """The results of `work`, in the order of `items`; up to `count` are made while the last one is used.

    What `work` raises is raised where its result would have come.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _work_through(work: Callable[[int], Result], indices: range) -> list[Result]:
    return [work(index) for index in indices]
