#include "hub/pages/markdown.h"

#include <fmt/format.h>
#include <md4c.h>

#include <algorithm>
#include <vector>

#include "base/html.h"
#include "base/utf8.h"

namespace jikji::hub {
namespace {

constexpr size_t kMaxText = 256u << 10;  // md4c takes a second for some texts of megabytes

constexpr size_t kBehind = 64;

// Empty where it may not be followed. Entities but `&amp;` stay as they are written, so that none
// can hide a scheme.
std::string SafeUrl(const MD_ATTRIBUTE& attribute, std::string_view files, bool picture) {
  std::string url(attribute.text == nullptr ? "" : attribute.text, attribute.size);
  for (size_t at = url.find("&amp;"); at != std::string::npos; at = url.find("&amp;", at + 1)) {
    url.erase(at + 1, 4);
  }
  const bool odd = std::ranges::any_of(
      url, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '\\' || c == 0x7F; });
  if (odd || url.empty()) return {};
  if (!picture) {
    for (const std::string_view scheme : {"https://", "http://", "mailto:"}) {
      if (url.starts_with(scheme)) return url;
    }
  }
  const bool leaves = url.front() == '/' || url.front() == '#' || url.find(':') < url.size() ||
                      url.find("..") < url.size();
  return leaves ? std::string() : std::string(files) + url;
}

class Renderer {
 public:
  explicit Renderer(std::string_view files) : files_(files) {}

  std::string out;

  void EnterBlock(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_OL:
        out += fmt::format("<ol start=\"{}\">", static_cast<MD_BLOCK_OL_DETAIL*>(detail)->start);
        break;
      case MD_BLOCK_LI: {
        const auto& item = *static_cast<MD_BLOCK_LI_DETAIL*>(detail);
        out += "<li>";
        if (item.is_task == 0) break;
        out += item.task_mark == ' ' ? "<input type=\"checkbox\" disabled>"
                                     : "<input type=\"checkbox\" disabled checked>";
        break;
      }
      case MD_BLOCK_HR:
        out += "<hr>";
        break;
      case MD_BLOCK_CODE:
        out += "<pre><code>";
        break;
      default:
        if (const std::string tag = BlockTag(type, detail); !tag.empty()) out += "<" + tag + ">";
    }
  }

  void LeaveBlock(MD_BLOCKTYPE type, void* detail) {
    while (!open_.empty()) Close();
    if (type == MD_BLOCK_CODE) {
      out += "</code></pre>\n";
    } else if (const std::string tag = BlockTag(type, detail); !tag.empty()) {
      out += "</" + tag + ">\n";
    }
  }

  void EnterSpan(MD_SPANTYPE type, void* detail) {
    bool written = false;
    if (type == MD_SPAN_IMG) {
      if (pictures_++ == 0) {
        const auto url = SafeUrl(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src, files_, true);
        written = !url.empty();
        if (written) out += "<img src=\"" + EscapeHtml(url) + "\" alt=\"";
      }
    } else if (pictures_ > 0) {
      // A picture's text is an attribute.
    } else if (type == MD_SPAN_A) {
      const auto url = SafeUrl(static_cast<MD_SPAN_A_DETAIL*>(detail)->href, files_, false);
      written = !url.empty();
      if (written) out += "<a rel=\"noreferrer nofollow\" href=\"" + EscapeHtml(url) + "\">";
    } else if (const std::string_view tag = SpanTag(type); !tag.empty()) {
      written = true;
      out += fmt::format("<{}>", tag);
    }
    open_.push_back({type, written});
  }

  // md4c may leave spans in another order than it entered them, where a link overlaps a picture.
  void LeaveSpan(MD_SPANTYPE type) {
    if (std::ranges::find(open_, type, &Span::type) == open_.end()) return;
    while (Close() != type) continue;
  }

  void Text(MD_TEXTTYPE type, std::string_view text) {
    if (type == MD_TEXT_NULLCHAR) {
      out += "\uFFFD";
    } else if (type == MD_TEXT_BR) {
      out += pictures_ > 0 ? " " : "<br>";
    } else if (type == MD_TEXT_SOFTBR) {
      out += '\n';
    } else if (type == MD_TEXT_ENTITY) {
      out += text;  // `&name;` or `&#1;`: md4c has read it as one
    } else {
      out += EscapeHtml(text);
    }
  }

 private:
  struct Span {
    MD_SPANTYPE type;
    bool written;
  };

  // The innermost.
  MD_SPANTYPE Close() {
    const auto [type, written] = open_.back();
    open_.pop_back();
    if (type == MD_SPAN_IMG) --pictures_;
    if (written) {
      out += type == MD_SPAN_IMG ? "\">"
             : type == MD_SPAN_A ? "</a>"
                                 : fmt::format("</{}>", SpanTag(type));
    }
    return type;
  }

  static std::string BlockTag(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_QUOTE:
        return "blockquote";
      case MD_BLOCK_UL:
        return "ul";
      case MD_BLOCK_OL:
        return "ol";
      case MD_BLOCK_LI:
        return "li";
      case MD_BLOCK_H:  // h1 is the page's own
        return fmt::format("h{}", std::min(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level + 1, 6u));
      case MD_BLOCK_P:
        return "p";
      case MD_BLOCK_TABLE:
        return "table";
      case MD_BLOCK_THEAD:
        return "thead";
      case MD_BLOCK_TBODY:
        return "tbody";
      case MD_BLOCK_TR:
        return "tr";
      case MD_BLOCK_TH:
        return "th";
      case MD_BLOCK_TD:
        return "td";
      default:
        return {};
    }
  }

  static std::string_view SpanTag(MD_SPANTYPE type) {
    switch (type) {
      case MD_SPAN_EM:
        return "em";
      case MD_SPAN_STRONG:
        return "strong";
      case MD_SPAN_CODE:
        return "code";
      case MD_SPAN_DEL:
        return "del";
      default:
        return {};
    }
  }

  const std::string_view files_;
  int pictures_ = 0;  // of the spans that are open
  std::vector<Span> open_;
};

Renderer& Of(void* user) { return *static_cast<Renderer*>(user); }

}  // namespace

std::string RenderMarkdown(std::string_view text, std::string_view files) {
  MD_PARSER parser{};
  parser.flags = MD_DIALECT_GITHUB | MD_FLAG_NOHTML;
  parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* user) {
    Of(user).EnterBlock(type, detail);
    return 0;
  };
  parser.leave_block = [](MD_BLOCKTYPE type, void* detail, void* user) {
    Of(user).LeaveBlock(type, detail);
    return 0;
  };
  parser.enter_span = [](MD_SPANTYPE type, void* detail, void* user) {
    Of(user).EnterSpan(type, detail);
    return 0;
  };
  parser.leave_span = [](MD_SPANTYPE type, void*, void* user) {
    Of(user).LeaveSpan(type);
    return 0;
  };
  parser.text = [](MD_TEXTTYPE type, const MD_CHAR* piece, MD_SIZE size, void* user) {
    Of(user).Text(type, {piece, size});
    return 0;
  };
  Renderer renderer(files);
  if (text.size() <= kMaxText && IsValidUtf8(text)) {
    // md4c 0.4.8 looks at what stands behind some texts: here a line's end, and nothing.
    std::string line(text);
    line += '\n';
    const auto size = static_cast<MD_SIZE>(line.size());
    line.append(kBehind, '\0');
    if (md_parse(line.data(), size, &parser, &renderer) == 0) return std::move(renderer.out);
  }
  return "<pre>" + EscapeHtml(text) + "</pre>";
}

}  // namespace jikji::hub
