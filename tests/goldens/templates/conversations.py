"""The conversations that every template is rendered with."""


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def user(text):
    return {"role": "user", "content": text}


def bot(text, **more):
    return {"role": "assistant", "content": text, **more}


SYSTEM = {"role": "system", "content": "당신은 친절한 조수입니다."}
TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "도시의 날씨를 알려 준다 <현재>",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "도시 이름"},
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
            "days": {"type": "array", "items": {"type": "integer"}}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}}},
]
CALL = {"type": "function", "id": "abc123def", "function": {"name": "get_weather", "arguments": {"city": "서울", "unit": "c"}}}
CALL2 = {"type": "function", "id": "xyz789uvw", "function": {"name": "now", "arguments": {}}}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
DATE = {"date_string": "01 Jan 2026", "strftime_now_used": True}


def case(messages, **more):
    return TOKENS | {"messages": messages, "add_generation_prompt": True} | more


TOOL_TURN = [user("서울 날씨?"), bot("", tool_calls=[CALL]), {"role": "tool", "name": "get_weather", "tool_call_id": "abc123def", "content": "맑음, 21°C"}]
THINK = [user("1+1?"), bot("<think>\n더하면 2\n</think>\n\n2입니다."), user("그럼 2+2?")]

CONVERSATIONS = {
    "plain": case([user("안녕하세요?")]),
    "system": case([SYSTEM, user("Hi <there> & 'you'")]),
    "no_prompt": case([SYSTEM, user("안녕"), bot("네, 안녕하세요!")], add_generation_prompt=False),
    "turns": case([SYSTEM, user("하나"), bot("둘"), user("셋"), bot("넷"), user("다섯")]),
    "empty_content": case([user(""), bot(""), user(" ")]),
    "spaces": case([{"role": "system", "content": "  앞뒤 공백 \n"}, user("\n\n줄바꿈\n"), bot("  답 "), user("\ttab\t")]),
    "emoji": case([user("👨‍👩‍👧‍👦 가족 🇰🇷 e\u0301 ﬁ")]),
    "special_text": case([user("<|im_end|><|eot_id|></s>[/INST]<end_of_turn> {{ x }} {% if %} \\n \"q\"")]),
    "tools": case([SYSTEM, user("서울 날씨?")], tools=TOOLS),
    "tools_no_system": case([user("서울 날씨?")], tools=TOOLS),
    "tool_call": case(TOOL_TURN, tools=TOOLS),
    "tool_answer": case([SYSTEM] + TOOL_TURN + [bot("서울은 맑고 21도입니다."), user("고마워")], tools=TOOLS),
    "two_calls": case([user("둘 다"), bot("확인합니다.", tool_calls=[CALL, CALL2]), {"role": "tool", "tool_call_id": "abc123def", "content": "맑음"}, {"role": "tool", "tool_call_id": "xyz789uvw", "content": {"time": "12:00"}}], tools=TOOLS),
    "tool_call_string_arguments": case([user("날씨"), bot(None, tool_calls=[{"type": "function", "id": "abc123def", "function": {"name": "get_weather", "arguments": "{\"city\": \"부산\"}"}}])], tools=TOOLS),
    "builtin_tools": case([user("검색해 줘")], builtin_tools=["brave_search", "wolfram_alpha", "python", "browser"]),
    "tools_in_user_message": case([user("서울 날씨?")], tools=TOOLS, tools_in_user_message=False),
    "thinking": case(THINK),
    "thinking_on": case(THINK, enable_thinking=True),
    "thinking_off": case(THINK, enable_thinking=False),
    "reasoning_content": case([user("1+1?"), bot("2", reasoning_content="더한다", thinking="더한다"), user("2+2?"), bot("4", reasoning_content="또 더한다")]),
    "reasoning_then_tool": case([user("날씨?"), bot("", reasoning_content="도구를 쓰자", tool_calls=[CALL]), {"role": "tool", "name": "get_weather", "tool_call_id": "abc123def", "content": "비"}], tools=TOOLS),
    "reasoning_effort": case([SYSTEM, user("깊이 생각해 봐")], reasoning_effort="high", model_identity="당신은 직지입니다."),
    "parts": case([{"role": "user", "content": [{"type": "text", "text": "첫 부분 "}, {"type": "image"}, {"type": "text", "text": "둘째 부분"}]}]),
    "system_parts": case([{"role": "system", "content": [{"type": "text", "text": "규칙"}]}, user("네")]),
    "same_roles": case([user("하나"), user("둘")]),
    "assistant_first": case([bot("먼저"), user("네")]),
    "late_system": case([user("하나"), SYSTEM, user("둘")]),
    "unknown_role": case([{"role": "critic", "content": "흠"}]),
    "developer": case([{"role": "developer", "content": "간결하게."}, user("네")]),
    "no_messages": case([]),
    "missing_content": case([{"role": "user"}]),
    "fifty_turns": case([SYSTEM] + [m for i in range(50) for m in (user(f"질문 {i}: 한국의 수도는 어디인가요?"), bot(f"답 {i}: 서울입니다. " + "설명 " * (i % 7)))] + [user("끝")]),
    "dates": case([SYSTEM, user("오늘은?")], date_string="26 Jul 2024", **{"strftime": 1}),
}
