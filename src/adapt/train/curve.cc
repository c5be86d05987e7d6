#include "adapt/train/curve.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/json.h"

namespace jikji::train {
namespace {

namespace json = boost::json;

std::string ToLine(const CurvePoint& p) {
  json::object line = {{"step", p.step},
                       {"loss", p.loss},
                       {"learning_rate", p.learning_rate},
                       {"gradient_norm", p.gradient_norm},
                       {"tokens", p.tokens},
                       {"seconds", p.seconds}};
  if (p.eval_loss) line["eval_loss"] = *p.eval_loss;
  return json::serialize(line) + "\n";
}

// nullopt for a line that a crash cut short.
std::optional<CurvePoint> FromLine(std::string_view text) {
  const auto value = ParseJson(text);
  if (!value || !value->is_object()) return std::nullopt;
  const json::object& line = value->get_object();
  const auto step = OptionalInt(line, "step");
  const auto number = [&](const char* key) {
    const auto found = OptionalNumber(line, key);
    return found && *found ? **found : 0.0;
  };
  if (!step || !*step) return std::nullopt;
  CurvePoint p{.step = **step,
               .loss = number("loss"),
               .eval_loss = {},
               .learning_rate = number("learning_rate"),
               .gradient_norm = number("gradient_norm"),
               .tokens = static_cast<int64_t>(number("tokens")),
               .seconds = number("seconds")};
  if (line.contains("eval_loss")) p.eval_loss = number("eval_loss");
  return p;
}

}  // namespace

Result<Curve> Curve::Open(const std::filesystem::path& file, int64_t step) {
  Curve curve;
  curve.file_ = file;
  std::error_code ignored;
  std::string kept;
  if (std::filesystem::exists(file, ignored)) {
    JIKJI_ASSIGN(const std::string text, ReadFile(file));
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const auto point = FromLine(std::string_view(text).substr(begin, end - begin));
      if (point && point->step <= step) {
        kept += ToLine(*point);
        curve.points_.push_back(*point);
      }
      begin = end + 1;
    }
  }
  JIKJI_RETURN_IF_ERROR(WriteFileAtomic(file, kept));
  curve.out_.open(file, std::ios::app);
  if (!curve.out_) return Fail(ErrorCode::kIo, "cannot open", file.string());
  return curve;
}

Result<> Curve::Add(const CurvePoint& point) {
  points_.push_back(point);
  out_ << ToLine(point) << std::flush;
  if (!out_) {
    return Fail(ErrorCode::kIo, "cannot write; is the disk full?", file_.string());
  }
  return {};
}

}  // namespace jikji::train
