"""Words of shops: colours, materials, units, what takes no article, and which words are no maker's name.

Beside the English of `words`, which knows nothing of shops.
"""

from __future__ import annotations

import re

from agenther.stages.language.words import FUNCTION_WORDS, is_known, plural, singular, stem, tokens

GENDER = {
    "women": "women's",
    "womens": "women's",
    "woman": "women's",
    "women's": "women's",
    "ladies": "women's",
    "men": "men's",
    "mens": "men's",
    "men's": "men's",
    "girls": "girls'",
    "boys": "boys'",
    "kids": "kids'",
}
COLORS = frozenset(
    "black white red green blue yellow orange purple pink brown grey gray beige gold golden silver navy ivory cream tan"
    " turquoise teal burgundy khaki charcoal multicolor multicolour".split()
)
TRADE_WORDS = frozenset(
    """
    amp backdrop backdrops bedside biotin bluetooth boho cd collagen cordless
    crossbody decaf detangling dvd earbuds ethernet faux fleece fluoride
    gelato gluten gmo hd hdmi hairpiece headset highspeed hoodie iphone ipad iwatch keratin keto laptop led leggings lcd lipstick
    loveseat makeup mic microfiber mini monocular nightstand nylon ottoman pc pedicure peplum pouf qi ramen retinol router sherpa
    sconce shampoo sheer skincare sleepwear smartphone smartwatch sneaker sneakers soy spf spandex subwoofer sweatpants
    sweatshirt tab tablet tv toothbrush toothpaste tote ultra unisex upholstered usb vegan velcro vga vr waterproof webcam wi-fi
    wifi wireless xbox 4k 8k 3d 1080p 4-way 3-way
    """.split()
)
COUNTED = frozenset(
    "pack packs piece pieces pcs pc count ct inch inches in ft feet foot oz ounce ounces lb pound pounds light lights"
    " tier drawer drawers seater way quart gallon liter watt".split()
)
MASS = frozenset(
    """
    apparel art bacon beef beer bread butter cheese chocolate clothing coffee decor dye equipment floss flour food foam
    fragrance fudge furniture gel gelato glitter granola gum hair honey ice jam jelly jerky jewelry juice lotion makeup
    meat milk mix mouthwash oil paint paper pasta perfume polish pomade popcorn powder preserve quinoa rice salsa salt
    sausage seafood seasoning shampoo skincare sleepwear soap soda soup spice sugar syrup tape tea tofu toothpaste tuna
    underwear vinegar water wax wine yarn yogurt conditioner cereal candy
    """.split()
)
MATERIALS = frozenset(
    """
    bamboo bluetooth canvas ceramic cotton denim fleece glass leather linen metal mini modern organic plastic portable
    satin silicone silk steel suede velvet vintage wireless wood wooden wool
    """.split()
)
OPPOSITES = tuple(
    frozenset(pair.split())
    for pair in (
        "straight wavy",
        "straight curly",
        "long short",
        "large small",
        "wired wireless",
        "matte glossy",
        "wet dry",
    )
)
"""Words that cannot both hold of one product."""
SETS = frozenset("pack set kit box bundle case".split())
PHRASAL = re.compile(r"\b(clip|plug|slip|press|pull|lace|snap|roll)[ -](in|on|up)\b", re.IGNORECASE)
SAME = {
    "ounce": "oz", "foot": "ft", "feet": "ft", "inch": "in", "pound": "lb", "gray": "grey", "fluid": "fl", "colour": "color",
    "sleev": "sleeve",
    "jeans": "jean",
    **dict(zip("two three four five six seven eight nine ten twelve".split(), "2 3 4 5 6 7 8 9 10 12".split(), strict=True)),
    "woman": "women", "man": "men", "piece": "pc", "pcs": "pc", "couch": "sofa",
}  # fmt: skip
"""Words and units that say the same."""


def stems_of(text: str) -> frozenset[str]:
    """Return the stems of all words, units and spellings made one."""
    return frozenset(same(token) for token in tokens(text.replace('"', " inch ")))


def same(token: str) -> str:
    """Return one form for words and units that say the same."""
    base = stem(token)
    return SAME.get(base, base)


def is_mass(noun: str) -> bool:
    """Tell whether a noun takes no article: `popcorn`, `hair dye`."""
    return noun.split(" ")[-1].casefold() in MASS


def is_plural(noun: str) -> bool:
    """Tell whether a noun stands in the plural."""
    last = noun.split(" ")[-1].casefold()
    return (singular(last) != last and plural(singular(last)) == last) or last in {
        "pants",
        "jeans",
        "leggings",
        "scissors",
    }


def in_lexicon(word: str) -> bool:
    """Tell whether a word is English or of the trade."""
    return is_known(word) or word in TRADE_WORDS or word in FUNCTION_WORDS


def split_gender(phrase: str) -> tuple[str, str]:
    """Split `women's ` off the front of a phrase, so that other words can stand between."""
    first, _, rest = phrase.partition(" ")
    return (f"{first} ", rest) if first in GENDER.values() else ("", phrase)
