"""Which images a network answers right."""

import pytest
import torch
from torch import Tensor, nn

from octprobe.accuracy.evaluate import answers, evaluate, refuse_no_numbers
from octprobe.errors import UsageError
from trainings import small_data, tiny


class Told(nn.Module):
    """Answers with the logits that it is given."""

    def forward(self, x: Tensor) -> Tensor:
        """Give the input back."""
        return x


def test_first_and_first_five() -> None:
    """Ranks 1, 5 and 6 of seven classes."""
    logits = torch.tensor([[9.0, 1, 2, 3, 4, 5, 6]] * 3)
    found = answers(Told(), [(logits[:2], torch.tensor([0, 3])), (logits[2:], torch.tensor([2]))])
    assert found.first.tolist() == [True, False, False]
    assert found.five is not None
    assert found.five.tolist() == [True, True, False]


def test_with_five_classes_the_first_five_say_nothing() -> None:
    """They are all there is."""
    found = answers(Told(), [(torch.eye(5), torch.arange(5))])
    assert found.first.all()
    assert found.five is None
    assert found.top5 is None


def test_of_equal_answers_the_first_counts() -> None:
    """A network that answers 0 to all is right about class 0 alone, as with argmax."""
    found = answers(Told(), [(torch.zeros(8, 8), torch.arange(8))])
    assert found.first.tolist() == [True, *[False] * 7]
    assert found.five is not None
    assert found.five.tolist() == [True] * 5 + [False] * 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_wrong(value: float) -> None:
    """Though torch ranks a NaN above all."""
    logits = torch.zeros(1, 6)
    logits[0, 0] = value
    found = answers(Told(), [(logits, torch.tensor([0]))])
    assert not found.first.any()
    assert found.five is not None
    assert not found.five.any()
    assert found.no_numbers == 1


def test_answers_in_no_numbers_are_refused() -> None:
    """They are counted over all batches; numbers pass through."""
    good, bad = torch.eye(6), torch.eye(6)
    bad[[1, 3], 0] = torch.tensor([float("nan"), float("-inf")])
    found = answers(Told(), [(good, torch.arange(6)), (bad, torch.arange(6))])
    with pytest.raises(UsageError) as caught:
        refuse_no_numbers(found, "w.pt: at alpha 0.5")
    assert str(caught.value) == (
        "w.pt: at alpha 0.5: its answers to 2 of 12 images are no finite numbers, so they say nothing of its "
        "accuracy; give other weights"
    )
    numbers = answers(Told(), [(good, torch.arange(6))])
    assert refuse_no_numbers(numbers, "w.pt") is numbers


def test_wilsons_interval() -> None:
    """9 of 10, by Wilson's formula."""
    found = answers(Told(), [(torch.eye(10), torch.tensor([*range(9), 0]))])
    assert found.top1.median == 0.9
    assert found.top1.low == pytest.approx(0.5958, abs=1e-4)
    assert found.top1.high == pytest.approx(0.9821, abs=1e-4)


def test_a_data_set_is_asked_in_eval_mode() -> None:
    """In the order of the set, whatever the mode was; the answers are those of one call."""
    data, network = small_data(), tiny().train()
    found = evaluate(network, data, data.test)
    assert not network.training
    with torch.no_grad():
        expected = network(data.prepared(data.test.images)).argmax(1) == data.test.labels
    assert found.first.tolist() == expected.tolist()
