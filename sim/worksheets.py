"""Worksheets and keys on paper: blocks of text, written as Markdown or as a page to print."""

from collections.abc import Iterator, Sequence
from html import escape

from sim.exercises import Exercise, Key, Number, Question, Recomputed
from sim.parameters import model_version
from sim.report import NOT_A_FORECAST, whole

Block = tuple[str, str]


def worksheet(exercise: Exercise) -> list[Block]:
    """The worksheet as blocks: (kind, text), with kind h1, h2, p, pre, item, blank."""
    blocks = [
        ("h1", exercise.title),
        ("p", f"Aim: {exercise.aim}"),
        ("p", f"{exercise.minutes} minutes. Name: {'_' * 30}  Date: {'_' * 12}"),
        ("p", exercise.before_you_begin),
    ]
    for number, step in enumerate(exercise.steps, 1):
        blocks += [("h2", f"{number}. {step.title} ({step.minutes} minutes)"), ("p", step.do)]
        first = [question for question in step.questions if question.before]
        if first:
            blocks.append(("p", "Commit before you run; what is written stays."))
        blocks += [block for question in first for block in _asked(question)]
        for run in (step.run, step.against):
            if run:
                blocks.append(("pre", run.command))
        blocks += [block for question in step.questions if not question.before for block in _asked(question)]
    return [*blocks, ("p", f"Model {model_version()}. {NOT_A_FORECAST} No answer of a governor is right or wrong.")]


def _asked(question: Question) -> Iterator[Block]:
    """A question and room for its answer."""
    yield "p", question.ask
    if question.kind == "interval":
        chance = f"{100 * question.level:.0f} %"
        yield "p", f"With {chance} confidence from {'_' * 8} to {'_' * 8} {question.unit}"
    elif question.kind == "chance":
        yield "p", f"{'_' * 8} % (0: never, 50: cannot say, 100: always)"
    elif question.kind == "choice":
        for choice in question.choices:
            yield "item", f"☐ {choice}"
    else:
        yield "blank", ""


def key_sheet(exercise: Exercise, key: Key, found: Sequence[Recomputed]) -> list[Block]:
    """The key as blocks, with every number as it was just computed, and how."""
    blocks = [
        ("h1", f"{exercise.title}: the key"),
        ("p", f"Computed now with model {model_version()}. {NOT_A_FORECAST}"),
    ]
    for answer in key.answers:
        blocks.append(("h2", exercise.questions[answer.question].ask))
        if answer.choice:
            blocks.append(("p", answer.choice))
        for each in found:
            if each.question == answer.question:
                moved = "" if each.is_same else f" (kept: {_said(each.number, each.number.value)}; it has moved)"
                blocks.append(("item", f"{each.number.label}: {_said(each.number, each.found)}{moved}"))
        blocks.append(("p", answer.told))
    return blocks


def _said(number: Number, value: float) -> str:
    return f"{100 * value:.0f} % of runs" if number.unit == "of runs" else f"{whole(round(value, 1))} {number.unit}"


def markdown(blocks: Sequence[Block]) -> str:
    """Blocks as Markdown."""
    begin = {
        "h1": "# {}\n",
        "h2": "## {}\n",
        "p": "{}\n",
        "pre": "    {}\n",
        "item": "- {}",
        "blank": "\n" + "_" * 80 + "\n",
    }
    lines = []
    for k, (kind, text) in enumerate(blocks):
        is_last_item = kind == "item" and (k + 1 == len(blocks) or blocks[k + 1][0] != "item")
        lines.append(begin[kind].format(text.strip()) + "\n" * is_last_item)
    return "\n".join(lines)


def html_page(title: str, blocks: Sequence[Block]) -> str:
    """Blocks as a page to print; it needs nothing else."""
    tags = {
        "h1": "<h1>{}</h1>",
        "h2": "<h2>{}</h2>",
        "p": "<p>{}</p>",
        "pre": "<pre>{}</pre>",
        "item": "<ul><li>{}</li></ul>",
    }
    tags["blank"] = '<div class="lines"></div>'
    body = "\n".join(tags[kind].format(escape(text.strip())) for kind, text in blocks)
    return PAGE.format(title=escape(title), body=body.replace("</ul>\n<ul>", "\n"))


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font-family: serif; line-height: 1.5; color: #000; background: #fff; }}
body {{ max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }}
h2 {{ margin-top: 1.8rem; break-after: avoid; }}
p, li {{ break-inside: avoid; }}
ul {{ list-style: none; padding-left: 1rem; }}
pre {{ white-space: pre-wrap; background: #f4f4f4; padding: .5rem; }}
.lines {{ height: 4.5rem; background: repeating-linear-gradient(#fff 0 1.4rem, #999 1.4rem 1.45rem); }}
@media print {{ body {{ margin: 0; max-width: none; }} .lines {{ border-bottom: 1px solid #999; }} }}
</style></head><body><main>
{body}
</main></body></html>
"""
