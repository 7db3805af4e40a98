"""What pyproject.toml cannot say: the app lies in `app/` and travels in the package as `dashboard_app`."""

from pathlib import Path

from setuptools import find_packages, setup

APP = "app"
PACKAGED_APP = "octprobe.dashboard_app"


def app_packages() -> list[str]:
    """Name as packages the folders of the app that hold Python."""
    folders = sorted({script.parent.relative_to(APP) for script in Path(APP).rglob("*.py")})
    return [".".join([PACKAGED_APP, *folder.parts]) for folder in folders]


setup(
    packages=[*find_packages(include=["octprobe", "octprobe.*"]), *app_packages()],
    package_dir={PACKAGED_APP: APP},
)
