"""Small templates, one per feature of the language: make.py renders them with jinja2.

A line of EXPRESSIONS is wrapped in {{ }}; an entry of TEMPLATES is taken as it stands. Those that fail in jinja2 must
fail here too.
"""

VARIABLES = {
    "s": "Hello World", "ko": "안녕하세요 세계", "emoji": "가👨‍👩‍👧나", "sp": "  \t두 칸 \n", "empty": "", "html": "<a href='x'>&\"</a>",
    "n": 7, "neg": -7, "zero": 0, "f": 2.5, "big": 9007199254740993, "t": True, "nil": None,
    "xs": [3, 1, 2], "words": ["b", "A", "c", "a"], "nested": [[1, 2], [3, [4]]], "none_list": [],
    "d": {"b": 1, "a": "두", "c": [1, None, True, 2.0], "items": "own"}, "e": {},
    "users": [{"name": "Kim", "age": 30, "tags": ["x"]}, {"name": "lee", "age": 25, "tags": []},
              {"name": "Park", "age": 30}],
    "lines": "one\ntwo\r\nthree\n\nfive\u2028six", "json": {"k\"\n": "값\u0001\u007f", "f": 1e16, "g": 1e-7, "h": 0.1},
}

EXPRESSIONS = r"""
1 + 2 * 3
2 ** 3 ** 2
-2 ** 2
7 / 2
8 / 2
7 // 2
neg // 2
neg % 3
n % neg
7.5 // 2
-7.5 % 2
5 % -3.5
1e3
1.5e-7
1e16
123456789012345678.0
0.1 + 0.2
1_000 + 0x1F + 0b11 + 0o17
2 ** 62
-9223372036854775807 - 1
2 ** -1
0 ** -1
1 / 0
1 // 0
1 % 0
1.0 / 0
true + true
true * 3.0
n / t
1 + "a"
"a" + 1
"a" + "b" * 3
3 * "가"
[1] * 2 + [2]
(1,) + (2, 3)
[1] + (2,)
"a" * -1
nil + 1
missing + 1
missing ~ 1 ~ nil ~ true ~ 2.0
1 ~ "x" ~ [1, "a", none] ~ {"k": 'v"\''}
1 < 2 < 3
1 < 3 < 2
1 == 1.0 == true
"a" < "b"
"가" < "나" and "Z" < "a"
[1, 2] < [1, 3]
(1, 2) >= (1, 2)
1 < "a"
nil < 1
nil == none
missing == missing2
missing == nil
d == {"c": [1, none, true, 2.0], "a": "두", "items": "own", "b": 1}
xs != [3, 1, 2]
"ell" in s
"녕하" in ko
"" in s
1 in s
3 in xs
"3" in xs
"b" in d
1 not in d
[1] in d
1 in missing
1 in nil
1 in n
not 1 in xs
not missing
1 and 0 or "x"
"" or none
none and 1
xs and "yes"
"a" if t else "b"
"a" if false
("a" if false) is defined
"a" if zero else "b" if nil else "c"
s[0] ~ s[-1] ~ ko[1] ~ emoji[1]
s[100]
s[100] is defined
ko[0:2]
ko[::-1]
emoji[1:3]
s[2:]
s[:-3]
s[::2]
s[-3:100]
s[5:2]
s[::0]
s["a":]
xs[0] ~ xs[-1]
xs[5]
xs["a"]
xs[1:]
xs[::-1]
xs[-2:]
xs[:]
xs[none:2]
(1, 2, 3)[1:]
range(10)[2:8:2] | list
range(5)[-1]
d["b"]
d.a
d["zz"]
d.zz
d.zz.yy
d.items
d["items"]
d.items()
d.keys() | list
d.values() | list
d.get("a") ~ d.get("q") ~ d.get("q", 5)
d.get([])
d["get"]("a")
e.items() | list
nested[1][1][0]
nested.1.0
users[0].name ~ users.0.name
users[0]["na" ~ "me"]
nil.x
nil.x is defined
n.x
missing.x
missing["x"]
missing[1:2]
missing()
missing(1)
s.nope
s.nope()
xs.append(4)
xs.append
xs.append is defined
d.update({})
d.pop("a")
d.setdefault("q", 1)
s.__class__
s.__class__ is defined
s.__class__.__mro__
missing.__class__
d.__class__
d._x
xs.__len__()
"%s" | attr("__class__")
range(3)
range(1, 10, 3) | list
range(5, 0, -2) | list
range(100000) | length
range(100001)
range(10 ** 9)
range(0)
range(1, 2, 0)
range("a")
range(1.5)
dict(a=1, b="x")
dict([["a", 1], ("b", 2)])
dict({"a": 1}, a=2)
dict([1])
{"a": 1, "b": [1, 2.50, none, true, "q'"], 3: (1,), none: {}}
{"a": 1, "a": 2}
{1: "a", 1.0: "b", true: "c"}
{[]: 1}
[1, "a", 'b"c', "it's", "both'\"", "\n\t\\", "가", "\u200d", "\x7f"]
(1,)
()
(1, (2, "x"))
1,
1, 2
[missing]
"a" "b" 'c'
'\x41\u00e9\U0001F600\101\q\'\"'
"\가"
"\é"
"tab\there" ~ 'n\nl'
"a\
b"
true ~ True ~ false ~ False ~ none ~ None
1.0 ~ " " ~ 100.0 ~ " " ~ 1e15 ~ " " ~ 0.0001 ~ " " ~ 0.00001 ~ " " ~ -0.0
3.14159265358979 ~ " " ~ 1e100 ~ " " ~ 5e-324
1e400
-1e400
1e400 - 1e400
big
big + 0.0
+n
-t
-s
+s
- -3
-3|abs
(-3)|abs
-2.5|abs
s|abs
t|abs
sp|trim ~ "|"
"xxaxx"|trim("x")
ko|trim("안계")
missing|trim
5|trim ~ "x"
nil|trim
sp.strip() ~ "|" ~ sp.lstrip() ~ "|" ~ sp.rstrip() ~ "|"
"\u3000가\u00a0".strip()
"xyax".strip("xy") ~ "xyax".lstrip("xy") ~ "xyax".rstrip("xy")
"abc".strip(none)
"abc".strip(1)
s.split()
" a  b c ".split()
" a  b c ".split(none, 1)
" a  b c ".rsplit(none, 1)
"a,b,,c".split(",")
"a,b,c".split(",", 1)
"a,b,c".rsplit(",", 1)
"a,b,c".split(",", maxsplit=1)
"a,b,c".split(sep=",")
"abc".split("")
"".split()
"".split(",")
"a</think>b</think>c".split("</think>")[-1]
ko.split("하")
lines.splitlines()
lines.splitlines(true)
s.startswith("Hell") ~ s.endswith("d") ~ s.startswith(("x", "H")) ~ s.endswith(("x", "y"))
s.startswith(1)
s.startswith(["H"])
s.startswith("lo", 3) ~ s.startswith("lo", 3, 4) ~ s.startswith("", 100)
s.upper() ~ s.lower() ~ s.title() ~ "hELLO wORLD".capitalize() ~ s.swapcase()
"straße ŉ ﬁ".upper() ~ "ΑΣ ΑΣΑ İ".lower() ~ "ǆx ßx".title() ~ "ßa".capitalize()
"they're bill's".title() ~ "they're bill's x-y (z [q"|title
s.replace("o", "0") ~ s.replace("o", "0", 1) ~ "aaa".replace("", "-") ~ "ab".replace("", "-", 2)
s.replace("o")
s.replace("l", "L", count=2)
s.replace(1, 2)
s.find("o") ~ s.find("o", 5) ~ s.rfind("o") ~ s.find("zz") ~ ko.find("세계") ~ ko.rfind("하")
s.find("o", -4) ~ s.find("", 100) ~ s.find("l", 3, 9)
s.index("W") ~ ko.index("요")
s.index("zz")
s.count("l") ~ "aaaa".count("aa") ~ ko.count("") ~ s.count("l", 4)
",".join(["a", "b"]) ~ "가".join("abc")
",".join([1])
",".join(1)
"abc".removeprefix("a") ~ "abc".removesuffix("c") ~ "abc".removeprefix("x")
"12".isdigit() ~ "1a".isdigit() ~ "²".isdigit() ~ "".isdigit() ~ "²".isdecimal() ~ "१२".isdigit()
"abc".isalpha() ~ "가나".isalpha() ~ "a1".isalpha() ~ "a1".isalnum() ~ " \n".isspace() ~ "".isspace()
"ABC".isupper() ~ "aBC".isupper() ~ "abc1".islower() ~ "1".islower() ~ "가".isupper() ~ "abc".isascii() ~ "가".isascii()
"a-b-c".partition("-") ~ "a-b-c".rpartition("-") ~ "abc".partition("x") ~ "abc".rpartition("x")
"ab".center(7, "*") ~ "abc".center(6, "가") ~ "a".ljust(3) ~ "|" ~ "a".rjust(3) ~ "-5".zfill(4) ~ "ab"|center(6) ~ "|"
"{} {}".format(1, "a") ~ "{0}{1}{0}".format("x", "y") ~ "{a}{b[k]}{c.name}".format(a=1, b={"k": 2}, c=users[0])
"{:>5}|{:<5}|{:^5}|{:*^7}|{:05d}|{:+d}|{:,}|{:x}|{:#X}|{:.2f}|{:e}|{:%}|{:.3g}".format("a", "b", "c", "d", 42, 5, 1234567, 255, 255, 3.14159, 12345.678, 0.25, 1234.5)
"{!r} {!s}".format("a", "b") ~ "{{}}".format() ~ "{:.2}".format("가나다") ~ "{:>4}".format(true) ~ "{}".format(none)
"{} {}".format(1)
"{a}".format()
"{:d}".format("a")
"{".format()
"}".format()
"{0}{}".format(1, 2)
"{:5}".format(none)
"{:b}{:o}{:_}".format(10, 8, 1234567)
"%s %s" % ("a", 1) ~ "%d%%" % 5 ~ "%5s|%-5s|%05d|%+d|%x|%X|%#x|%o" % ("a", "b", 42, 5, 255, 255, 255, 8)
"%.2f %e %g %r %c" % (3.14159, 1234.5, 0.00001, "q", "가") ~ "%(a)s" % {"a": 1} ~ "%.2s" % "가나다" ~ "%*d" % (5, 42)
"%s" % (1, 2)
"%s %s" % 1
"%d" % "a"
"%d" % 3.9
"%s" % none ~ "%s" % xs
"%z" % 1
"%" % 1
"x" % 1
"x" % {}
"%s, %s"|format("a", 2) ~ "%(x)s"|format(x=1)
s|length ~ ko|length ~ emoji|length ~ xs|length ~ d|length ~ missing|length ~ range(4)|length ~ d.items()|length
n|length
nil|count
xs|join ~ xs|join(", ") ~ users|join("-", attribute="name") ~ ko|join(".") ~ d|join(",") ~ missing|join(",")
n|join
s|upper ~ s|lower ~ 5|upper ~ "hELLO"|capitalize ~ missing|upper ~ true|lower
s|replace("l", "L") ~ s|replace("l", "L", 1) ~ 5|replace(5, 6) ~ s|replace("o", none)
missing|default("x") ~ nil|default("x") ~ ""|default("x") ~ ""|default("x", true) ~ missing|d ~ nil|d(1, boolean=true) ~ missing.x
missing|default(missing2)
xs|first ~ xs|last ~ s|first ~ ko|last ~ d|first ~ d|last ~ none_list|first ~ range(5)|last
n|first
missing|first
missing|last
xs|map("string")|last
s|list ~ d|list ~ xs|list ~ missing|list ~ range(3)|list
n|list
5|string ~ "a"|string ~ none|string ~ [1]|string ~ missing|string
"5"|int + 1
"5.7"|int ~ "abc"|int ~ "abc"|int(9) ~ "0x1F"|int(0, 16) ~ "ff"|int(base=16) ~ none|int ~ 3.9|int ~ -3.9|int ~ true|int ~ " 1_000 "|int ~ "1__0"|int ~ "-12"|int ~ "+3"|int ~ "1e3"|int ~ ""|int
missing|int
1e400|int
"inf"|int ~ "nan"|int
"z"|int(base=36) ~ "0b11"|int(base=0) ~ "012"|int(base=0)
"1.5"|float ~ "x"|float ~ "x"|float(2) ~ 3|float ~ none|float ~ " 1_0.5 "|float ~ "inf"|float ~ "-nan"|float ~ "1e5"|float ~ "0x10"|float
2.5|round ~ 3.5|round ~ 2.567|round(2) ~ 2.5|round(0, "ceil") ~ 2.5|round(method="floor") ~ 5|round ~ 2.675|round(2) ~ 1234|round(-2) ~ 1250|round(-2) ~ 1350|round(-2) ~ -1250|round(-2) ~ 2.123|round(1, "ceil") ~ 5|round(1, "floor")
s|round
2.5|round(0, "x")
xs|reverse|list ~ s|reverse ~ ko|reverse ~ d|reverse|list ~ xs|map("abs")|reverse
n|reverse
xs|sort ~ words|sort ~ words|sort(reverse=true) ~ words|sort(case_sensitive=true) ~ users|sort(attribute="age")|map(attribute="name")|list ~ users|sort(attribute="age,name")|map(attribute="name")|list ~ s|sort|join
[1, "a"]|sort
[1, none]|sort
d|sort ~ missing|sort
words|unique|list ~ [1, 1.0, true, "1", "a", "A"]|unique|list ~ users|unique(attribute="age")|map(attribute="name")|list
[[1], [1]]|unique|list
xs|map("string")|list ~ words|map("upper")|join ~ users|map(attribute="name")|join(",") ~ users|map(attribute="tags", default="none")|list ~ users|map(attribute="tags.0")|list ~ ["a b"]|map("replace", "a", "x")|list ~ missing|map("upper")|list ~ nested|map("first")|list
xs|map("nope")|list
xs|map|list
xs|map("nope")|length
[1, "a"]|map("abs")|first
[1, "a"]|map("abs")|list
xs|select("odd")|list ~ xs|select|list ~ [0, 1, "", "a", none]|select|list ~ [0, 1]|reject|list ~ xs|reject("odd")|list ~ xs|select(">", 1)|list ~ xs|select("in", [1, 2])|list ~ xs|select("divisibleby", 3)|list ~ missing|select|list
xs|select("nope")|list
xs|select("odd")|length
xs|select("odd")
users|selectattr("age", "equalto", 30)|map(attribute="name")|list ~ users|selectattr("tags")|list|length ~ users|rejectattr("tags")|map(attribute="name")|list ~ users|selectattr("tags", "defined")|list|length ~ users|selectattr("tags", "undefined")|list|length ~ users|rejectattr("name", "lower")|list|length
users|selectattr|list
d|items|list ~ missing|items|list
xs|items|list
d|dictsort ~ {"b": 1, "A": 0}|dictsort ~ {"b": 1, "A": 2}|dictsort(true) ~ {"b": 1, "a": 2}|dictsort(by="value") ~ {"b": 1, "a": 2}|dictsort(reverse=true)
xs|dictsort
d|dictsort(by="x")
"a\nb\n\nc"|indent ~ "a\nb"|indent(2, true) ~ "a\n\nb"|indent(2, blank=true) ~ "a\nb"|indent("> ") ~ ""|indent ~ "a\n"|indent ~ "|"
5|indent
html|escape ~ html|e|e ~ html|safe ~ 5|e ~ (html|safe|e) ~ html|forceescape
("<b>"|safe) + "<i>"
"<i>" + ("<b>"|safe)
("<b>"|safe) ~ "<i>"
[("<b>"|safe)]
("a"|safe) * 2
("<B>"|safe)|lower + "<"
xs|min ~ xs|max ~ words|min ~ words|max ~ words|max(case_sensitive=true) ~ (users|min(attribute="age")).name ~ none_list|min ~ "bca"|max
[1, "a"]|min
xs|sum ~ none_list|sum ~ xs|sum(start=10) ~ users|sum(attribute="age") ~ [1.5, 2]|sum ~ [[1], [2]]|sum(start=[])
words|sum
[1,2,3,4,5]|batch(2)|list ~ [1,2,3]|batch(2, "x")|list ~ none_list|batch(2)|list
[1,2,3,4,5]|slice(2)|list ~ [1,2,3,4]|slice(3, "x")|list ~ [1]|slice(3)|list
[1]|slice(0)|list
users|groupby("age") |length ~ (users|groupby("age")|first).grouper ~ (users|groupby("age"))[1].list|length ~ words|groupby(0)|map("first")|list ~ users|groupby("tags", default=["z"])|length
"a b&c/d가~"|urlencode ~ {"a b": "c/d", "e": 1}|urlencode ~ [["x", "y z"]]|urlencode ~ 5|urlencode
"one two, three 가나"|wordcount ~ missing|wordcount
"foo bar baz qux"|truncate(9) ~ "foo bar baz qux"|truncate(9, true) ~ "foo bar"|truncate(5, leeway=0) ~ "가나다라마바사아자차카"|truncate(5) ~ s|truncate(5, end="", leeway=0)
s|truncate(2)
d|tojson ~ json|tojson ~ ko|tojson ~ 1.0|tojson ~ none|tojson ~ true|tojson ~ (1, "a")|tojson ~ {}|tojson ~ []|tojson ~ {1: 2, none: 3, true: 4, 1.5: 5}|tojson
json|tojson(ensure_ascii=true) ~ emoji|tojson(true)
d|tojson(indent=2)
nested|tojson(indent=1) ~ {"a": {}, "b": []}|tojson(indent=4) ~ [1]|tojson(indent=0) ~ {"a": [1]}|tojson(indent="\t")
d|tojson(separators=(",", ":")) ~ d|tojson(indent=2, separators=("; ", " = ")) ~ d|tojson(sort_keys=true) ~ {"b": {"d": 1, "c": 2}, "a": 0}|tojson(sort_keys=true)
{1: 1, "a": 2}|tojson(sort_keys=true)
{(1, 2): 1}|tojson
missing|tojson
range(3)|tojson
d.items()|tojson
1e400|tojson ~ (1e400-1e400)|tojson ~ 1e16|tojson ~ 1e22|tojson ~ 0.00001|tojson
"<>&'"|tojson
html|tojson|safe
3 is odd ~ 2 is odd ~ 2 is even ~ 9 is divisibleby 3 ~ 9 is divisibleby(2) ~ 2.0 is even ~ -3 is odd
"a" is odd
missing is odd
s is defined ~ missing is defined ~ missing is undefined ~ nil is none ~ missing is none ~ nil is not none ~ d.zz is defined ~ d.zz is not defined
true is boolean ~ 1 is boolean ~ true is true ~ 1 is true ~ false is false ~ 1 is integer ~ true is integer ~ 1.0 is integer ~ 1.0 is float ~ 1 is float ~ true is number ~ "1" is number
s is string ~ 1 is string ~ d is mapping ~ xs is mapping ~ d is iterable ~ s is iterable ~ n is iterable ~ missing is iterable ~ xs is sequence ~ d is sequence ~ s is sequence ~ n is sequence ~ range(2) is sequence ~ d.items() is sequence ~ missing is sequence ~ nil is sequence
"abc" is lower ~ "ABC" is upper ~ "Abc" is lower ~ 1 is lower ~ "" is upper
1 is eq 1 ~ 1 is equalto 1.0 ~ 1 is ne 2 ~ 1 is lt 2 ~ 1 is lessthan 0 ~ 2 is gt 1 ~ 2 is greaterthan 3 ~ 1 is ge 1 ~ 1 is le 0 ~ 1 is == 1
1 is in xs ~ 5 is not in xs ~ "a" is in "abc"
nil is sameas none ~ 1 is sameas true ~ true is sameas true ~ xs is sameas xs
range is callable ~ s is callable ~ s.upper is callable ~ missing is callable ~ dict is callable
"trim" is filter ~ "nope" is filter ~ "odd" is test ~ "nope" is test
html|safe is escaped ~ html is escaped
1 is nope
1|nope
"x" is odd is even
strftime_now("%Y-%m-%d %d %b %Y %B %A %a %H:%M:%S %j %y %p %I %% %e %-d")
raise_exception("멈춤: " ~ n)
raise_exception(none)
raise_exception()
(1, 2)|join(",") ~ {"a":{"b":[1]}}.a.b[0]
xs|sort|first|string|length
xs.count(1) ~ xs.index(2) ~ (1, 2, 1).count(1)
xs.index(9)
xs.copy() == xs
n()
s()
s.upper(1)
s.upper(x=1)
"a"|upper(1)
"a"|default(1, 2, 3)
s.split(",", 1, 2)
dict(**{"a": 1}) ~ range(*[1, 3])|list ~ dict(b=2, **{"c": 3})
dict(a=1, **{"a": 2})
range(*5)
(xs|length) > 2 and (d.a is string)
xs|length > 2
not xs|length > 2
-xs|length
"a" ~ 1 + 2
1 ~ 2 * 3
n is defined and n > 5 or missing.x
[x for x in xs]
lambda x: x
1 if
1 +
(1
[1, 2
{"a" 1}
xs[
.a
1 2
a = 1
"unterminated
1 ! 2
a?b
$
0755
1__0
a.b.1.5
1.5.x
1.e5
"a".upper.lower
""".strip("\n").split("\n")

TEMPLATES = [
    "a{% if t %}b{% endif %}c", "{% if zero %}a{% elif nil %}b{% elif n %}c{% else %}d{% endif %}", "{%if t%}x{%endif%}",
    "  {% if t %}\n  x\n  {% endif %}\n  y\n", "  {%- if t -%}\n  x\n  {%- endif -%}\n  y\n", "a \n {%+ if t %}\nx\n{% endif +%}\ny",
    "a\n  {{ n }}  \nb\n", "a  {{- n -}}  b", "a\n\n{{- n }}\n\nb", "{{ n }}\n", "{{ n }}\n\n", "\n{{ n }}", "a{# c #}b", "a\n  {# c #}\n  b", "a {#- c -#} b", "a\n{#+ c +#}\nb",
    "{# {{ x }} {% if %} #}x", "{# unclosed", "{% raw %}{{ x }}{% endraw %}", "  {% raw %}\n {{ a }} {% if %}\n  {% endraw %}\nx", "a {%- raw -%} b {%- endraw -%} c", "{% raw %}unclosed", "{%raw%}{%endraw%}",
    "a\r\nb\r{% if t %}\r\nc{% endif %}", "x\u3000{%- if t %} y{% endif %}", "\t{% set a = 1 %}\n{{ a }}", "x {% set a = 1 %} y\n {% set b = 2 %} z",
    "{% for x in xs %}{{ x }},{% endfor %}", "{% for x in none_list %}a{% else %}empty{% endfor %}", "{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }};{% endfor %}",
    "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}", "{% for x in xs %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for x in [1,1,2,2] %}{{ loop.changed(x) }}{{ loop.cycle('a','b','c') }}{% endfor %}", "{% for x in xs if x > 1 %}{{ x }}{{ loop.index }}/{{ loop.length }} {% else %}none{% endfor %}", "{% for x in xs if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for k, v in d|items %}{{ k }}{% if not loop.last %},{% endif %}{% endfor %}", "{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{% endfor %}", "{% for a, b in [[1]] %}{% endfor %}", "{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}", "{% for a in 5 %}{% endfor %}", "{% for a in nil %}{% endfor %}", "{% for a in missing %}x{% else %}y{% endfor %}", "{% for c in ko %}{{ c }}.{% endfor %}",
    "{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in xs %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}|", "{% for x in xs %}{% break %}{% else %}none{% endfor %}", "{% break %}", "{% for x in xs %}{% for y in xs %}{% if y == 2 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% for x in xs recursive %}{{ x }}{% endfor %}", "{% for x in nested recursive %}{% if x is number %}{{ x }}{% else %}[{{ loop(x) }}]{% endif %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}", "{% for x in xs %}{{ loop(x) }}{% endfor %}", "{% for x in xs %}{{ loop.nope }}{% endfor %}{{ loop }}", "{{ loop.index }}",
    "{% set a = 1 %}{% for x in xs %}{% set a = a + x %}{{ a }}{% endfor %}{{ a }}", "{% for x in xs %}{% set y = x %}{% endfor %}{{ y }}", "{% if t %}{% set a = 1 %}{% endif %}{{ a }}", "{% for x in xs %}{{ y }}{% set y = x %}{% endfor %}", "{% set x = 9 %}{% for x in xs %}{{ x }}{% endfor %}{{ x }}",
    "{% set ns = namespace(i=0, l=[]) %}{% for x in xs %}{% set ns.i = ns.i + x %}{% set ns.l = ns.l + [x] %}{% endfor %}{{ ns.i }}{{ ns.l }}{{ ns.zz }}{{ ns['i'] }}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns }}", "{% set d.x = 1 %}", "{% set missing.x = 1 %}", "{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a }}{{ b }}", "{% set ns = namespace() %}{% set ns._x = 1 %}{{ ns._x }}", "{{ namespace(1) }}", "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns.a.a.a is sameas ns }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = b, a %}", "{% set (a, b) = [1, 2] %}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set 1 = 2 %}", "{% set true = 2 %}", "{% set a.b.c = 2 %}", "{% set a[0] = 2 %}", "{% set a %}x{{ n }}y{% endset %}{{ a }}{{ a|length }}", "{% set a | upper | trim %} x {% endset %}{{ a }}", "{% set a = namespace() %}{% set a.b %}z{% endset %}{{ a.b }}", "{% for x in xs %}{% set a %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endset %}{{ a }}{% endfor %}",
    "{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m(b=5, a=4) }}{{ m() }}{{ m(1, 2, 3) }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", "{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}", "{% macro m(a) %}{{ a is defined }}{{ a.x }}{% endmacro %}{{ m() }}", "{% macro m(a, b=a ~ '!') %}{{ b }}{% endmacro %}{{ m('q') }}",
    "{% macro m(x) %}[{{ caller(x) }}]{% endmacro %}{% call(y) m(5) %}y={{ y }}{% endcall %}", "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in {{ n }}{% endcall %}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro m() %}{% if caller %}y{% else %}n{% endif %}{% endmacro %}{{ m() }}", "{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m() }}",
    "{% macro f(k) %}{% if k > 0 %}{{ k }}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro m() %}{{ a }}{% endmacro %}{% set a = 1 %}{{ m() }}{% set a = 2 %}{{ m() }}", "{% for x in xs %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}{{ m is defined }}", "{% macro m() %}{{ x }}{% endmacro %}{% for x in xs %}{{ m() }}{% endfor %}", "{% macro m() %}{% set q = 1 %}{% endmacro %}{{ m() }}{{ q }}", "{% macro m(a, b) %}x{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ m() }}{% macro m() %}x{% endmacro %}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(m(m(1))) ~ m('<') }}", "{% macro m() %}{{ n }}{% endmacro %}{{ m()|int + 1 }}",
    "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}aaa{% endfilter %}", "{% filter nope %}a{% endfilter %}", "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}", "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% generation %}x{{ n }}{% set g = 1 %}{% endgeneration %}{{ g }}", "{% print n, s %}", "{% generation %}\n  abc\n{% endgeneration %}\ndef",
    "{% if t %}{{ 1|nope }}{% endif %}", "{% if not t %}{{ 1|nope }}{% endif %}ok", "{{ 1|nope if zero }}x", "{% if not t %}{{ 1 is nope }}{% endif %}ok", "{% if not t %}{% for a in xs %}{{ 1|nope }}{% endfor %}{% endif %}ok", "{{ 'x' if 'nope' is filter else 'y' }}",
    "{% if %}{% endif %}", "{% if t %}", "{% endif %}", "{% for x in xs %}{% endif %}", "{% nope %}", "{% %}", "{{ }}", "{{", "{%", "{#", "{{ n", "{% if t", "{% for in xs %}{% endfor %}", "{% for x xs %}{% endfor %}", "{% for loop in xs %}{% endfor %}", "{% set %}", "{% set a %}", "{% macro %}{% endmacro %}", "{% macro m %}{% endmacro %}", "{% macro m(a, a) %}{% endmacro %}", "{% call n %}{% endcall %}", "{% if t: %}x{% endif %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for x in (1, 2) %}{{ x }}{% endfor %}", "{% for x, in [[1], [2]] %}{{ x }}{% endfor %}", "{% if t and %}{% endif %}", "{% elif t %}", "{% else %}", "{% do xs.append(1) %}", "{% set x = %}", "}} %} #}", "{ { n } }", "{{ '}}' }}{{ \"%}\" }}", "{{ {'a': {'b': 1}}}}", "{{ {'a': 1}['a'] }}", "{{{'a': 1}}}", "{{ [1, 2][0] }}}", "{{-n-}}", "{{+5}}", "{{-5}}", "{{ -5}}",
    "{{ (xs|map('string'))|join }}{% set m = xs|map('string') %}{{ m|join }}|{{ m|join }}", "{% set m = xs|select('odd') %}{% for x in m %}{{ x }}{{ loop.last }}{{ loop.length }}{% endfor %}{% for x in m %}again{% endfor %}", "{% set m = xs|map('abs') %}{{ 1 in m }}{{ m|list }}", "{% if xs|select('gt', 9) %}truthy{% endif %}", "{% set r = xs|reverse %}{{ r|first }}{{ r|list }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}", "{{ cycler() }}", "{% set j = joiner('|') %}{{ j() }}{{ j() }}{{ j() }}", "{% set j = joiner() %}{{ j() }}a{{ j() }}", "{% for x in xs %}{% set outer = loop %}{% for y in 'ab' %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in xs %}{% for y in [x] if loop is defined %}{{ loop.index }}{% endfor %}{% endfor %}", "{% set ns = namespace(done=false) %}{% for x in xs if not ns.done %}{{ x }}{% if x == 1 %}{% set ns.done = true %}{% endif %}{% endfor %}", "{% for k in d.items() %}{{ k[0] }}{{ k.1 }}{% endfor %}", "{% for g, us in users|groupby('age') %}{{ g }}:{{ us|map(attribute='name')|join('/') }};{% endfor %}", "{{ users|groupby('age') }}",
    "{% for row in range(7)|batch(3, '-') %}{{ row|join }};{% endfor %}", "{% for col in range(7)|slice(3) %}{{ col|join }};{% endfor %}", "{{ 'a' if missing.x is defined else 'b' }}", "{{ (missing or {}).x }}{{ (missing or {}).x is defined }}", "{{ users[0].get('zz', {}).get('q') }}", "{% if users[2].tags %}y{% else %}n{% endif %}", "{{ users[2].tags[0] }}", "{% set x = users|length - 1 %}{{ users[x]['name'] }}{{ users[-1:][0].name }}", "{% if 'tags' in users[2] and users[2].tags is iterable %}y{% endif %}n",
    "line1\n{%- for x in xs %}\n- {{ x }}\n{%- endfor %}\nend", "{% for x in xs -%}\n  {{ x }}\n{%- endfor %}\n", "  {% for x in xs %}\n    {{ x }}\n  {% endfor %}\n", "<div>\n  {%- if t %}\n  yes\n  {%- endif %}\n</div>", "{%- set a = 1 -%}\n\n\n{{- a -}}\n\n\n", "a\n   {%- set q = 1 +%}\n  b", "{{ 'a\nb' }}{{ 'x\r\ny' }}", "{% if t %}a{% endif %}\n\nb", "{{ n }}{% if t %}\n\n{% endif %}x", "text {% if t %} inline {% endif %} text\n",
]

# jinja2 renders them; here they are errors, as docs/design/templates.md says.
UNSUPPORTED = [
    "{% block a %}x{% endblock %}", "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}",
    "{% autoescape true %}{{ html }}{% endautoescape %}", "{{ html|pprint }}", "{{ s|wordwrap(5) }}", "{{ s.encode() }}",
    "{{ 10|filesizeformat }}", "{{ lipsum() }}", "{{ xs|random }}", "{{ html|striptags }}", "{{ s|urlize }}", "{{ d|xmlattr }}",
    "{{ 2 ** 64 }}", "{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}", "{{ 9223372036854775807 * 2 }}",
    "{{ 9223372036854775808 }}", "{{ '99999999999999999999'|int }}", "{{ xs|map('abs') }}", "{{ range }}", "{{ s.upper }}",
    "{{ (-8) ** 0.5 }}", "{{ d.keys() == d.keys() }}", "{{ n.real }}", "{{ '{:{}}'.format(1, 2) }}", "{{ '\\N{DIGIT ONE}' }}",
]
