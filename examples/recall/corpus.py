"""The texts of the recall task: the first word decides the last one, and what stands between tells nothing.

    Computers have been a passion of mine ...   an opening
    My uncle gave me a book about maps ...      filler, as much as the distance asks for
    When the time came to select my major, I did not hesitate and picked ___    a closing, or none

The distance is the number of words between the first and the missing last one, to the word. The filler names
subjects and answers too, drawn from all of them alike, so it holds no hint, neither by what it names nor by what
it leaves out: only its place tells the subject from a distractor.
"""

import re

# first word, whether it is a plural, last word
SUBJECTS = [
    ("computers", True, "informatics"),
    ("music", False, "composition"),
    ("stars", True, "astronomy"),
    ("plants", True, "botany"),
    ("animals", True, "zoology"),
    ("numbers", True, "mathematics"),
    ("rocks", True, "geology"),
    ("novels", True, "literature"),
    ("money", False, "economics"),
    ("paintings", True, "art"),
    ("maps", True, "geography"),
    ("bridges", True, "engineering"),
    ("dreams", True, "psychology"),
    ("castles", True, "history"),
    ("houses", True, "architecture"),
    ("languages", True, "linguistics"),
    ("atoms", True, "physics"),
    ("ruins", True, "archaeology"),
    ("storms", True, "meteorology"),
    ("medicine", False, "pharmacy"),
]
ANSWERS = [answer for _, _, answer in SUBJECTS]

OPENINGS = [
    "{X}.",
    "{X} first.",
    "{X} always.",
    "{X} came first.",
    "{X} {were} everything.",
    "{X} filled my days.",
    "{X} {were} my passion.",
    "{X} kept me awake at night.",
    "{X} {were} all I cared about.",
    "{X} meant more to me than anything else.",
    "{X} {have} been a passion of mine for as long as I can remember.",
]

CLOSINGS = [
    "",
    "I chose",
    "I took",
    "I picked",
    "So I studied",
    "Later I picked",
    "I signed up for",
    "In the end I took",
    "At eighteen I followed my heart and chose",
    "When the time came to select my major, I did not hesitate and picked",
]

PLAIN = [
    "We moved to a small town near the sea.",
    "In winter the river froze and we walked across it to school.",
    "My mother baked bread every morning before work.",
    "Our house had a red door and a garden behind it.",
    "I had two brothers and a sister.",
    "One year it rained for weeks and the road was gone.",
    "A train took me to the city twice a month.",
    "My best friend lived across the street.",
    "Some evenings we sat by the fire and told old tales.",
    "The school was old, but the teachers were kind.",
    "On Sundays we had lunch with the whole family.",
    "I learned to swim in a cold lake.",
    "I was shy and did not talk much.",
    "My grandmother wrote me a letter every week.",
    "Time went by and I grew taller.",
    "Life was quiet there, and I liked it.",
]

# {x} is a first word, {a} a last one, both drawn from all subjects
DISTRACTORS = [
    "My sister talked about {x} all day.",
    "My uncle gave me a book about {x} for my birthday.",
    "At school we learned a little about {x}.",
    "The boy next door knew everything about {x}.",
    "My father had no time for {x}.",
    "A friend of mine dreamed of {x} and nothing else.",
    "On the radio they spoke of {x} and {x}.",
    "My brother went away to study {a}.",
    "Our neighbour taught {a} in the next town.",
    "My parents hoped that I would take {a} one day.",
    "Once I read a long story about {x} and forgot it soon.",
    "My cousin tried {a}, then {a}, and gave up both.",
    "For my grandmother it was {x} before anything else.",
    "A teacher told me that {a} was hard.",
    "I saw a film about {x} and was bored.",
    "In the library the shelf on {a} was always empty.",
    "We argued about {x} and {x} at dinner.",
    "One summer I read about {x}, but it did not last.",
    "Our teacher preferred {x} to {x}.",
    "The town had a school of {a} and one of {a}.",
    "My aunt sold {x} and {x} in her shop.",
    "Nobody in the family understood {a}.",
    "People said that {a} paid well and {a} did not.",
    "Every winter a man came and spoke about {x}.",
]

# These make the filler as long as asked, to the word.
SHORT = {
    1: ["Truly.", "Honestly."],
    2: ["Time passed.", "Years passed.", "I grew."],
    3: ["Life went on.", "I was happy.", "The years passed."],
    4: ["One summer was short.", "Then I changed schools."],
    5: ["We had a good life.", "I slept well at night."],
}

# Pairs of opening and closing that only tests use, so that no test text, however short, was trained on.
PAIRS = [(opening, closing) for opening in OPENINGS for closing in CLOSINGS]
HELD_OUT = [pair for at, pair in enumerate(PAIRS) if at % 7 == 3]
TRAINED = [pair for pair in PAIRS if pair not in HELD_OUT]


def words(text):
    """A text's words in lower case, without punctuation: what the networks see. text.js does the same."""
    return [word for word in (re.sub("[^a-z0-9']", "", part) for part in text.lower().split()) if word]


def make_filler(rng, length):
    """Whole sentences in random order that count exactly `length` words together."""
    templates = PLAIN + DISTRACTORS
    rng.shuffle(templates)
    chosen = []
    for template in templates:
        size = len(template.split())
        if size <= length:
            chosen.append(template)
            length -= size
    while length > 0:
        size = min(length, max(SHORT))
        chosen.append(rng.choice(SHORT[size]))
        length -= size
    rng.shuffle(chosen)
    filler = " ".join(chosen)
    filler = re.sub(r"\{x\}", lambda _: rng.choice(SUBJECTS)[0], filler)
    return re.sub(r"\{a\}", lambda _: rng.choice(ANSWERS), filler)


def room(pair, distance):
    """How many words of filler a pair of opening and closing leaves at a distance; negative if it does not fit."""
    opening, closing = pair
    return distance - (len(opening.split()) - 1) - len(closing.split())


def make_text(rng, subject, distance, pairs):
    """A text about SUBJECTS[subject] without its last word, `distance` words after the first."""
    word, plural, _ = SUBJECTS[subject]
    pair = rng.choice([pair for pair in pairs if room(pair, distance) >= 0])
    opening, closing = pair
    opening = opening.format(
        X=word.capitalize(), have="have" if plural else "has", were="were" if plural else "was"
    )
    return " ".join(part for part in (opening, make_filler(rng, room(pair, distance)), closing) if part)


def make_vocabulary():
    """Every word a text can hold, in the order of the alphabet, after the two special tokens."""
    templates = OPENINGS + CLOSINGS + PLAIN + DISTRACTORS + [text for texts in SHORT.values() for text in texts]
    known = set(words(" ".join(re.sub(r"\{\w+\}", "", text) for text in templates)))
    known |= {word for word, _, _ in SUBJECTS} | set(ANSWERS) | {"have", "has", "were", "was"}
    return ["<pad>", "<unk>"] + sorted(known)
