"""Where the judges that ship lie in the package."""

from lepbench.embedded import ASSETS

JUDGE = ASSETS / "judge@1"
GUARD = ASSETS / "guard@1"
PROBE = ASSETS / "probe@1"
SEGMENTER = ASSETS / "segmenter@1"
MATCHER = ASSETS / "matcher@1"
STATISTICS = ASSETS / "judge-statistics@1.safetensors"
