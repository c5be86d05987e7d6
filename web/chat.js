// The chat page: a conversation kept in the browser, answered by POST /v1/chat/completions as a stream.
// It asks nothing of any other host.

const TEXTS = {
  ko: {
    newChat: "새 대화", settings: "설정", language: "English", send: "보내기", stop: "멈춤",
    system: "시스템 지시", temperature: "온도 (0은 항상 같은 답)", maxTokens: "최대 출력 토큰", apiKey: "API 키",
    prompt: "메시지를 입력하세요. Enter로 보내고 Shift+Enter로 줄을 바꿉니다.",
    hello: "무엇이든 물어보세요.",
    notice: "AI가 만든 답변이며 틀릴 수 있습니다. 중요한 내용은 확인하세요.",
    working: "답변을 쓰는 중…", stopped: "멈췄습니다.", broken: "연결이 끊어졌습니다. 다시 보내 보세요.",
    needKey: "이 서버에는 API 키가 필요합니다. 설정에서 입력하세요.",
    done: (tokens, seconds) => `${tokens}토큰 · ${seconds.toFixed(1)}초`,
  },
  en: {
    newChat: "New chat", settings: "Settings", language: "한국어", send: "Send", stop: "Stop",
    system: "System prompt", temperature: "Temperature (0 is always the same answer)", maxTokens: "Most output tokens",
    apiKey: "API key",
    prompt: "Write a message. Enter sends, Shift+Enter breaks the line.",
    hello: "Ask anything.",
    notice: "Answers are made by AI and may be wrong. Check what matters.",
    working: "Writing…", stopped: "Stopped.", broken: "The connection broke. Try again.",
    needKey: "This server asks for an API key: enter it in the settings.",
    done: (tokens, seconds) => `${tokens} tokens · ${seconds.toFixed(1)} s`,
  },
};

const element = (id) => document.getElementById(id);
const log = element("log");
const prompt = element("prompt");
let language = localStorage.getItem("language") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
let messages = [];
let running = null; // the AbortController of the answer being written

const text = (name) => TEXTS[language][name];

function showTexts() {
  document.documentElement.lang = language;
  for (const item of document.querySelectorAll("[data-text]")) item.textContent = text(item.dataset.text);
  element("language").textContent = text("language");
  element("send").textContent = running ? text("stop") : text("send");
  prompt.placeholder = text("prompt");
  const hello = log.querySelector(".hello");
  if (hello) hello.textContent = text("hello");
}

function showHello() {
  log.replaceChildren(Object.assign(document.createElement("p"), { className: "hello" }));
  showTexts();
}

function addMessage(role, content) {
  log.querySelector(".hello")?.remove();
  const item = Object.assign(document.createElement("div"), { className: `message ${role}`, textContent: content });
  log.append(item);
  item.scrollIntoView({ block: "end" });
  return item;
}

function headers() {
  const key = element("api-key").value.trim();
  return { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
}

async function errorOf(response) {
  const body = await response.json().catch(() => null);
  return response.status === 401 ? text("needKey") : (body?.error?.message ?? `HTTP ${response.status}`);
}

// The payloads of a server-sent event stream, one by one.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) yield part.slice(6);
  }
}

async function answer(item, signal) {
  const number = (id) => (element(id).value === "" ? undefined : Number(element(id).value));
  const system = element("system").value.trim();
  const response = await fetch("/v1/chat/completions", {
    method: "POST", signal, headers: headers(),
    body: JSON.stringify({
      model: element("model").textContent,
      messages: [...(system ? [{ role: "system", content: system }] : []), ...messages],
      temperature: number("temperature"), max_completion_tokens: number("max-tokens"),
      stream: true, stream_options: { include_usage: true },
    }),
  });
  if (!response.ok) throw new Error(await errorOf(response));
  let usage = null;
  for await (const data of events(response)) {
    if (data === "[DONE]") return usage;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Error(chunk.error.message);
    usage = chunk.usage ?? usage;
    const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 40;
    item.textContent += chunk.choices[0]?.delta?.content ?? "";
    if (atEnd) scrollTo(0, document.body.scrollHeight);
  }
  throw new Error(text("broken"));
}

async function send() {
  const content = prompt.value.trim();
  if (!content || running) return;
  prompt.value = "";
  resize();
  messages.push({ role: "user", content });
  addMessage("user", content);
  const item = addMessage("assistant", "");
  item.classList.add("streaming");
  running = new AbortController();
  const mine = running;
  element("status").textContent = text("working");
  showTexts();
  const started = performance.now();
  try {
    const usage = await answer(item, mine.signal);
    const tokens = usage?.completion_tokens ?? 0;
    element("status").textContent = text("done")(tokens, (performance.now() - started) / 1000);
  } catch (error) {
    if (mine.signal.aborted) {
      element("status").textContent = text("stopped");
    } else {
      element("status").textContent = "";
      addMessage("error", error instanceof TypeError ? text("broken") : error.message);
    }
  }
  item.classList.remove("streaming");
  if (running === mine) {
    // What was said stays in the conversation; a turn that got no word of answer can be sent again.
    if (item.textContent) {
      messages.push({ role: "assistant", content: item.textContent });
    } else {
      messages.pop();
      item.remove();
    }
    running = null;
  }
  showTexts();
}

function resize() {
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight + 2}px`;
}

async function showModel() {
  try {
    const response = await fetch("/v1/models", { headers: headers() });
    if (!response.ok) throw new Error(await errorOf(response));
    element("model").textContent = (await response.json()).data[0].id;
    element("status").textContent = "";
  } catch (error) {
    element("status").textContent = error instanceof TypeError ? text("broken") : error.message;
  }
}

element("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) running.abort();
  else send();
});
prompt.addEventListener("input", resize);
prompt.addEventListener("keydown", (event) => {
  // While an input method composes a syllable, Enter ends the syllable, not the message.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
element("new").addEventListener("click", () => {
  running?.abort();
  running = null;
  messages = [];
  element("status").textContent = "";
  showHello();
  prompt.focus();
});
element("language").addEventListener("click", () => {
  language = language === "ko" ? "en" : "ko";
  localStorage.setItem("language", language);
  showTexts();
});
element("settings-button").addEventListener("click", (event) => {
  element("settings").hidden = !element("settings").hidden;
  event.currentTarget.setAttribute("aria-expanded", String(!element("settings").hidden));
});
element("settings").addEventListener("submit", (event) => event.preventDefault());
element("api-key").value = sessionStorage.getItem("api-key") ?? "";
element("api-key").addEventListener("change", () => {
  sessionStorage.setItem("api-key", element("api-key").value);
  showModel();
});

showHello();
showModel();
