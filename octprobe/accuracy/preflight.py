"""Whether a recipe can be trained, found out before its first epoch: the network, the images, each alpha."""

from collections.abc import Iterator
from pathlib import Path

from octprobe.accuracy.build import refuse_untrainable, vanilla_for
from octprobe.accuracy.data import DataSet
from octprobe.accuracy.standalone import STATISTICS_BATCH
from octprobe.errors import ConversionError, UsageError, first_line, wants_memory
from octprobe.plan.point import NetworkSubject
from octprobe.plan.recipe import Recipe, alphas_error
from octprobe.plan.variant import Variant
from octprobe.workload import at_alpha

# What a batch norm refuses is one image alone, where a map is one pixel; of two images it has a deviation.
_ENOUGH_IMAGES = 2


def refuse_hopeless(file: Path, recipe: Recipe, data: DataSet, *, allow_import: bool = False) -> None:
    """Stop before the first epoch of a recipe that cannot be trained; a want of memory shows later.

    Args:
        file: the recipe's, where faults are shown at their places.
        recipe: as it was read.
        data: what it trains on.
        allow_import: whether code may be imported to find the network.

    Raises:
        UsageError: the network cannot be built for the data set, or does not learn from its images.
        SpecError: it has no octave form at some of the alphas, or that does not learn from such images.
    """
    try:
        said = dict(_faults(recipe, data, allow_import=allow_import))
    except Exception as error:  # a want of memory is told by each training
        if not wants_memory(error):
            raise
        return
    if said:
        raise alphas_error(file, recipe, said)


def _faults(recipe: Recipe, data: DataSet, *, allow_import: bool) -> Iterator[tuple[int, str]]:
    """Say what is wrong with which of the recipe's alphas."""
    name, (seed, *_) = recipe.network, recipe.seeds
    vanilla, fitted, example = vanilla_for(name, data, seed=seed, allow_import=allow_import)
    images = example.expand(_fewest(recipe, len(fitted.train)), -1, -1, -1)
    refuse_untrainable(name, vanilla, images)
    for place, alpha in enumerate(recipe.alphas):
        subject = NetworkSubject(network=name, alpha=alpha)
        try:
            if not subject.is_vanilla:
                refuse_untrainable(name, at_alpha(vanilla, subject, example, Variant()), images)
        except (ConversionError, UsageError) as error:
            yield place, first_line(error)


def _fewest(recipe: Recipe, images: int) -> int:
    """Give how many images a batch has that is learned from, or gives statistics, where they are few."""
    return min(recipe.batch, recipe.statistics_images, STATISTICS_BATCH, images, _ENOUGH_IMAGES)
