"""An accuracy knows its difference to its own source's baseline, and no other."""

from dataclasses import fields

import pyarrow as pa
import pytest

from octprobe.store.accuracy import PUBLISHED, Accuracy
from octprobe.store.schema import ACCURACY_SCHEMA, accuracies_table


def accuracy(top1: float, baseline: float | None) -> Accuracy:
    """Give an accuracy of a made-up source."""
    return Accuracy(
        network="resnet50",
        dataset="imagenet1k",
        top1_percent=top1,
        baseline_top1_percent=baseline,
        kind=PUBLISHED,
        source_family="authors",
        source="a page",
    )


@pytest.mark.parametrize(
    ("top1", "baseline", "delta"), [(75.8, 73.2, 2.6), (78.794, 78.898, -0.104), (77.0, 77.0, 0.0)]
)
def test_the_delta_is_taken_once_and_clean(top1: float, baseline: float, delta: float) -> None:
    """Binary fractions leave no tail behind the digits that the source prints."""
    assert accuracy(top1, baseline).delta_top1_percent == delta


def test_without_a_baseline_there_is_no_delta() -> None:
    """Another family's baseline is none."""
    assert accuracy(81.4, None).delta_top1_percent is None


def test_the_delta_cannot_be_given() -> None:
    """It has one source, so that it cannot disagree."""
    with pytest.raises(TypeError, match="delta_top1_percent"):
        Accuracy(**{field.name: None for field in fields(Accuracy)})  # type: ignore[arg-type]  # wrong on purpose


def test_every_column_says_what_it_means() -> None:
    """The columns' page is written from this."""
    assert all(field.metadata["meaning"] for field in fields(Accuracy))


def test_accuracies_lie_in_typed_columns() -> None:
    """Absent is null; no accuracies give no rows but every column."""
    table = accuracies_table([accuracy(81.4, None)])
    assert table.schema == ACCURACY_SCHEMA
    assert table.schema.field("macs").type == pa.int64()
    assert table.to_pylist()[0]["baseline_top1_percent"] is None
    assert accuracies_table([]).num_rows == 0
