"""Renders the templates and snippets of this folder with jinja2 set up as transformers does, and writes what our own
interpreter must give, byte for byte. Run with a Python that has jinja2:  python3 tests/goldens/templates/make.py
"""

import datetime
import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

import conversations
import snippets

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 1, 1, 0, 0, 0)
DEFAULTS = {"tools": None, "documents": None, "add_generation_prompt": False}


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_text"), [], [], body).set_lineno(lineno)

    def _text(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    class Raised(jinja2.exceptions.TemplateError):
        pass

    def raise_exception(message):
        raise Raised(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env, Raised


ENV, RAISED = environment()


def render(source, variables):
    """The text; or ["raised", message] of raise_exception, ["undefined", message], ["error"] of anything else.
    ["unsupported"]: an error of ours alone."""
    try:
        text = ENV.from_string(source).render(**DEFAULTS | variables)
        text.encode()
        return text
    except RAISED as error:
        return ["raised", str(error)]
    except jinja2.exceptions.SecurityError as error:
        return ["undefined", str(error)]
    except jinja2.exceptions.UndefinedError as error:
        return ["undefined", str(error)]
    except Exception:
        return ["error"]


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace('},{"', '},\n{"').replace("],[", "],\n[")
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def main():
    cases = []
    for source in ["{{ " + line + " }}" for line in snippets.EXPRESSIONS] + snippets.TEMPLATES:
        result = render(source, snippets.VARIABLES)
        if isinstance(result, str) and " at 0x" in result:
            result = ["error"]  # Python prints an address: ours refuses
        cases.append([source, result])
    cases += [[source, ["unsupported"]] for source in snippets.UNSUPPORTED]
    write("snippets.json", {"variables": snippets.VARIABLES, "cases": cases})
    print(f"snippets: {len(cases)}")

    total = 0
    rendered = {}
    for path in sorted(HERE.glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        rows = rendered[path.stem] = {}
        for name, variables in conversations.CONVERSATIONS.items():
            result = render(source, variables)
            # The long one is kept as its length and a hash.
            if isinstance(result, str) and len(result) > 6000:
                result = ["fnv1a", len(result.encode()), conversations.fnv1a(result.encode())]
            rows[name] = result
            total += 1
    write("conversations.json", {"conversations": conversations.CONVERSATIONS, "rendered": rendered})
    print(f"conversations: {total} of {len(rendered)} templates")


if __name__ == "__main__":
    main()
