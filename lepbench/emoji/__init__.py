"""Pictures by four teams of designers of the same subjects, with captions and one team's line drawings."""

from lepbench.emoji.packages import GROUPS, EmojiGroup
from lepbench.emoji.sets import SETS, EmojiSet, EmojiStyle
from lepbench.emoji.splits import SPLITS, EmojiSplit
from lepbench.emoji.table import SHIPPED, SIZE, EmojiTable, load_emoji, write_emoji

__all__ = [
    "GROUPS",
    "SETS",
    "SHIPPED",
    "SIZE",
    "SPLITS",
    "EmojiGroup",
    "EmojiSet",
    "EmojiSplit",
    "EmojiStyle",
    "EmojiTable",
    "load_emoji",
    "write_emoji",
]
