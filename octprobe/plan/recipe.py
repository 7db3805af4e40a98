"""A recipe of trainings: data set, network, how it learns, at which alphas; a YAML file read and checked."""

import hashlib
import json
from collections.abc import Hashable, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
)

from octprobe.errors import SpecError
from octprobe.plan.axes import MAX_BATCH, MAX_RESOLUTION, Network, NetworkAlpha
from octprobe.plan.complaints import checked, not_known
from octprobe.plan.fault import Fault
from octprobe.plan.fault import Path as FaultPath
from octprobe.plan.grammar import Device, Name, Question, Version1
from octprobe.plan.nodes import FileKind
from octprobe.plan.point import AlphaMap, NetworkSubject
from octprobe.plan.ranges import Grammar
from octprobe.plan.source import read_mapping
from octprobe.plan.spec import NetworkCheck

# Raised when the same recipe trains another network than before, so that old and new figures stay apart.
TRAINING_VERSION: Final = 1
_DIGEST_HEX_DIGITS = 16
# The bounds stop typing errors, not experiments.
_MAX_EPOCHS = 10_000
_MAX_SHIFT_PIXELS = 64
_MAX_IMAGES = 10_000_000
_RECIPE_FILE: Final = FileKind(
    "recipe", "sweeps/fashion.yaml", "version, name, network, dataset, epochs, learning_rate and alphas"
)

Alpha = Decimal | AlphaMap
if TYPE_CHECKING:  # a map of the file, checked as a dict, ends as pairs
    _Alpha = Alpha
else:
    _Alpha = NetworkAlpha
_Item = TypeVar("_Item", bound=Hashable)


def plain_alpha(alpha: Alpha) -> Alpha:
    """Give the number 0 for an alpha map that makes nothing octave, and any other alpha as it is."""
    return Decimal(0) if NetworkSubject(network="", alpha=alpha).is_vanilla else alpha


def alpha_order(alpha: Alpha) -> tuple[bool, str]:
    """Give what alphas are sorted by: numbers ascending, then maps."""
    return isinstance(alpha, tuple), alpha_text(alpha)


def _once(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if len(set(items)) < len(items):
        raise ValueError("must not hold a value twice")
    return items


def _alphas_once(alphas: tuple[Alpha, ...]) -> tuple[Alpha, ...]:
    _once(tuple(map(plain_alpha, alphas)))
    return alphas


_Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
# A YAML list is a Python list, which a strict tuple would refuse; its items stay strict.
_Alphas = Annotated[tuple[_Alpha, ...], Strict(False), Field(min_length=1), AfterValidator(_alphas_once)]
_Seeds = Annotated[tuple[_Seed, ...], Strict(False), Field(min_length=1), AfterValidator(_once)]


class Kind(StrEnum):
    """How an accuracy came about."""

    EVALUATED = "evaluated"
    TRAINED = "trained"
    ELASTIC = "elastic"


class Augmentation(Grammar):
    """What is done to training images, anew in each epoch."""

    shift: int = Field(
        default=0,
        ge=0,
        le=_MAX_SHIFT_PIXELS,
        description="move each image by up to so many pixels along each axis; what comes in is black",
    )
    flip: bool = Field(default=False, description="mirror each image left to right with a chance of one half")


class ElasticPart(Grammar):
    """How one training serves every alpha: all share their weights."""

    alphas_a_step: int = Field(
        default=2, ge=1, le=64, description="different alphas that each batch is run at, drawn anew"
    )
    distillation: _Share = Field(
        default=0.0,
        description="share of the loss, at alphas above 0, that asks for the answers of alpha 0 on the batch",
    )
    temperature: float = Field(
        default=1.0, gt=0, le=100, allow_inf_nan=False, description="softens the answers that are asked for"
    )
    epochs: int | None = Field(
        default=None, ge=1, le=_MAX_EPOCHS, description="epochs, where they are not those of the recipe"
    )


class Recipe(Grammar):
    """A training of octprobe: one network on one data set, at some alphas, from some seeds."""

    version: Version1 = Field(description="version of this grammar")
    name: Name = Field(description="name of the recipe and of its folder of results", examples=["fashion"])
    question: Question = Field(default="", description="the question that the trainings answer")
    device: Device = Field(
        default="auto", description="device to train on: auto (a GPU if there is one), cpu, cuda, cuda:N"
    )
    network: Network = Field(
        description="octprobe:NAME, a name of timm, torchvision:NAME or package.module:function",
        examples=["octprobe:resnet8"],
    )
    dataset: Literal["fashion-mnist", "cifar-10", "cifar-100", "imagefolder"] = Field(
        description="data set; of an imagefolder the command's --data gives the place"
    )
    resolution: int | None = Field(
        default=None,
        ge=1,
        le=MAX_RESOLUTION,
        description="side of the square input, pixels (default: that of the data set)",
    )
    validation: int = Field(
        default=5_000, ge=0, le=_MAX_IMAGES, description="training images kept for validation"
    )
    images: int | None = Field(
        default=None, ge=1, le=_MAX_IMAGES, description="train on so many images only (default: all)"
    )
    epochs: int = Field(ge=1, le=_MAX_EPOCHS, description="how often each training image is seen")
    batch: int = Field(default=128, ge=1, le=MAX_BATCH, description="images a step")
    optimiser: Literal["sgd", "momentum", "adam", "adamw", "nadamw", "rmsprop", "lamb", "lion"] = Field(
        default="sgd", description="timm's name of the optimiser; sgd has Nesterov's momentum"
    )
    learning_rate: float = Field(gt=0, allow_inf_nan=False, description="highest learning rate")
    weight_decay: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="of convolutions and linear layers alone"
    )
    momentum: float = Field(default=0.9, ge=0, lt=1, allow_inf_nan=False, description="of sgd and momentum")
    schedule: Literal["cosine", "poly"] = Field(
        default="cosine", description="how the learning rate falls, step by step (poly falls straight to 0)"
    )
    warmup: int = Field(
        default=0, ge=0, le=_MAX_EPOCHS, description="first epochs, in which the learning rate rises"
    )
    label_smoothing: _Share = Field(default=0.0, description="share of each label spread over all classes")
    augmentation: Augmentation = Field(default=Augmentation(), description="what is done to training images")
    ema: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="decay a step of the running average of weights that is kept; 0 keeps the last weights",
    )
    statistics_images: int = Field(
        default=5_000,
        ge=1,
        le=_MAX_IMAGES,
        description="training images that batch-norm statistics are estimated from when the training ends",
    )
    alphas: _Alphas = Field(
        description="alphas or alpha maps: each trained by itself, or all drawn from in an elastic training",
        examples=[[0, 0.25, 0.5, 0.75]],
    )
    seeds: _Seeds = Field(
        default=(0,),
        description="of initial weights, order and augmentation: one training each",
        examples=[[0, 1, 2]],
    )
    elastic: ElasticPart | None = Field(
        default=None, description="how one training serves every alpha; for `octprobe accuracy elastic`"
    )

    @field_validator("warmup")
    @classmethod
    def _before_the_end(cls, warmup: int, info: ValidationInfo) -> int:
        if warmup and warmup >= info.data.get("epochs", warmup + 1):
            raise ValueError("must be fewer than epochs, or the learning rate never falls")
        return warmup

    @field_validator("elastic")
    @classmethod
    def _enough_alphas(cls, elastic: ElasticPart | None, info: ValidationInfo) -> ElasticPart | None:
        alphas = info.data.get("alphas")
        if elastic and alphas and elastic.alphas_a_step > len(alphas):
            raise ValueError(f"alphas_a_step must be at most the number of alphas, {len(alphas)}")
        return elastic

    @field_validator("elastic")
    @classmethod
    def _a_teacher_and_a_pupil(cls, elastic: ElasticPart | None, info: ValidationInfo) -> ElasticPart | None:
        if elastic is None or not elastic.distillation:
            return elastic
        if elastic.alphas_a_step == 1:
            raise ValueError(
                "distillation needs alphas_a_step of 2 or more: alpha 0, and one that it teaches"
            )
        if Decimal(0) not in map(plain_alpha, info.data.get("alphas", (Decimal(0),))):
            raise ValueError("distillation needs alpha 0, which teaches, among the alphas")
        return elastic

    def epochs_of(self, kind: Kind) -> int:
        """Give the epochs of a training of this kind."""
        return (self.elastic.epochs if kind is Kind.ELASTIC and self.elastic else None) or self.epochs

    def resolved(self, kind: Kind) -> str:
        """Give all that one training of this kind depends on, beside its alpha and seed, as JSON.

        What an elastic training draws from is part of it; where it ran and what it was called is not.
        """
        left_out = {"version", "name", "question", "device", "seeds", "alphas", "elastic"}
        content = self.model_dump(mode="json", exclude=left_out)
        if kind is Kind.ELASTIC:
            content |= {"alphas": self._drawn_from(), "elastic": self._told_one_way()}
        return json.dumps(content | {"training": TRAINING_VERSION}, sort_keys=True)

    def _drawn_from(self) -> list[str]:
        return [alpha_text(alpha) for alpha in sorted(map(plain_alpha, self.alphas), key=alpha_order)]

    def _told_one_way(self) -> dict[str, Any]:
        """Give the elastic part the same way, however it is said: left out, by default or by value."""
        part = self.elastic or ElasticPart()
        told: dict[str, Any] = {"alphas_a_step": min(part.alphas_a_step, len(self.alphas))}
        if part.epochs == self.epochs:
            told["epochs"] = None
        if not part.distillation:
            told["temperature"] = ElasticPart().temperature
        return part.model_copy(update=told).model_dump(mode="json")

    def text(self) -> str:
        """Give the whole recipe as JSON, from which `of_text` makes it again."""
        content = self.model_dump(mode="json", exclude={"alphas"})
        return json.dumps(content | {"alphas": [_plain_value(alpha) for alpha in self.alphas]})

    @classmethod
    def of_text(cls, text: str) -> "Recipe":
        """Make a recipe of what `text` gave.

        Raises:
            ValueError: the text is no recipe.
        """
        return cls.model_validate(json.loads(text))

    def digest(self, kind: Kind) -> str:
        """Give the identity of the trainings of this kind that the recipe describes."""
        return digest_of(self.resolved(kind))


def _plain_value(alpha: Alpha) -> float | dict[str, float]:
    """Give an alpha as a file has it."""
    if isinstance(alpha, Decimal):
        return float(alpha)
    return {pattern: float(share) for pattern, share in alpha}


def digest_of(text: str) -> str:
    """Give the digest of a resolved recipe, or of whatever else stands for one."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_HEX_DIGITS]


def alpha_text(alpha: Alpha) -> str:
    """Write an alpha as the command line reads it: `0.5`, or `layer1=0.5,layer2=0.25`."""
    if isinstance(alpha, Decimal):
        return str(alpha)
    return ",".join(f"{pattern}={share}" for pattern, share in alpha)


def read_recipe(path: Path, *, network_fault: NetworkCheck | None = None) -> Recipe:
    """Read a recipe file.

    Args:
        path: the file.
        network_fault: says what is wrong with a network's name, or None; without it every name passes.

    Raises:
        SpecError: with every fault of the file, each with its place.
    """
    source = read_mapping(path, _RECIPE_FILE)
    recipe, faults = checked(Recipe, source, {"network_fault": network_fault}, _unknown_key)
    if recipe is None or faults or source.found:
        raise source.error(faults)
    return recipe


def alphas_error(path: Path, recipe: Recipe, said: Mapping[int, str]) -> SpecError:
    """Say at their places in its file which alphas of a recipe its network cannot have.

    Args:
        path: the recipe's file.
        recipe: as it was read.
        said: what is wrong, by the place in the recipe's list.
    """
    faults = [
        Fault(("alphas", place), message, _plain_value(recipe.alphas[place]))
        for place, message in said.items()
    ]
    return read_mapping(path, _RECIPE_FILE).error(faults)


_PARTS: Final[Mapping[str, type[BaseModel]]] = {"augmentation": Augmentation, "elastic": ElasticPart}


def _unknown_key(path: FaultPath) -> str:
    part = _PARTS.get(str(path[0]), Recipe) if len(path) > 1 else Recipe
    return not_known(str(path[-1]), part.model_fields, "a key of a recipe")
