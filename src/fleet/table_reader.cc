#include "fleet/table_reader.h"

#include <fmt/format.h>

#include <optional>

#include "base/toml.h"

namespace jikji::fleet {

struct TableReader::Document {
  toml::table root;
  std::string where;
  std::optional<Error> error;

  void Fail(std::string message, std::string place) {
    if (!error) error = Error{ErrorCode::kInvalidArgument, std::move(message), std::move(place)};
  }
};

namespace {

const toml::table& AsTable(const void* table) { return *static_cast<const toml::table*>(table); }

std::optional<double> NumberOf(const toml::node& node) {
  if (const auto* integer = node.as_integer()) return static_cast<double>(integer->get());
  if (const auto* number = node.as_floating_point()) return number->get();
  return std::nullopt;
}

bool Within(double value, Range range) { return value >= range.least && value <= range.most; }

std::string NotWithin(double value, Range range) {
  return fmt::format("must be a number from {} to {}, is {}", range.least, range.most, value);
}

}  // namespace

TableReader::TableReader(std::shared_ptr<Document> document, const void* table, std::string path)
    : document_(std::move(document)), table_(table), path_(std::move(path)) {}

Result<TableReader> TableReader::Parse(std::string_view text, std::string where) {
  auto document = std::make_shared<Document>();
  JIKJI_ASSIGN(document->root, ParseToml(text, where));
  document->where = std::move(where);
  const void* root = &document->root;
  return TableReader(std::move(document), root, "");
}

std::string TableReader::Place(std::string_view key) const {
  std::string line;
  if (table_ != nullptr) {
    const toml::node* node = AsTable(table_).get(key);
    const auto begin = node != nullptr ? node->source().begin : AsTable(table_).source().begin;
    if (begin.line > 0) line = fmt::format(":{}", begin.line);
  }
  return fmt::format("{}{}: {}{}", document_->where, line, path_, key);
}

const void* TableReader::Find(std::string_view key, const char* kind, bool optional) {
  if (table_ == nullptr) return nullptr;
  read_.emplace(key);
  const toml::node* node = AsTable(table_).get(key);
  if (node == nullptr && !optional) {
    document_->Fail(fmt::format("is missing: {} is needed", kind), Place(key));
  }
  return node;
}

double TableReader::Number(std::string_view key, Range range) {
  const auto* node = static_cast<const toml::node*>(Find(key, "a number", false));
  if (node == nullptr) return range.least;
  const auto value = NumberOf(*node);
  if (!value) {
    Reject(key, "must be a number");
  } else if (!Within(*value, range)) {
    Reject(key, NotWithin(*value, range));
  } else {
    return *value;
  }
  return range.least;
}

double TableReader::Number(std::string_view key, Range range, double absent) {
  return Find(key, "a number", true) == nullptr ? absent : Number(key, range);
}

int64_t TableReader::Integer(std::string_view key, Range range) {
  const double value = Number(key, range);
  if (value != static_cast<double>(static_cast<int64_t>(value))) {
    Reject(key, fmt::format("must be a whole number, is {}", value));
  }
  return static_cast<int64_t>(value);
}

int64_t TableReader::Integer(std::string_view key, Range range, int64_t absent) {
  return Find(key, "a whole number", true) == nullptr ? absent : Integer(key, range);
}

std::string TableReader::Text(std::string_view key) {
  const auto* node = static_cast<const toml::node*>(Find(key, "a text", false));
  if (node == nullptr) return {};
  if (!node->is_string()) {
    Reject(key, "must be a text");
    return {};
  }
  return node->as_string()->get();
}

std::string TableReader::Text(std::string_view key, std::string absent) {
  return Find(key, "a text", true) == nullptr ? absent : Text(key);
}

bool TableReader::Flag(std::string_view key, bool absent) {
  const auto* node = static_cast<const toml::node*>(Find(key, "true or false", true));
  if (node == nullptr) return absent;
  if (!node->is_boolean()) {
    Reject(key, "must be true or false");
    return absent;
  }
  return node->as_boolean()->get();
}

std::vector<double> TableReader::Numbers(std::string_view key, size_t count, Range range) {
  std::vector<double> values;
  const auto* node = static_cast<const toml::node*>(Find(key, "a list of numbers", false));
  if (node == nullptr) return values;
  const toml::array* array = node->as_array();
  if (array == nullptr || (count > 0 && array->size() != count)) {
    Reject(key, count > 0 ? fmt::format("must be a list of {} numbers", count)
                          : std::string("must be a list of numbers"));
    return values;
  }
  for (const toml::node& item : *array) {
    const auto value = NumberOf(item);
    if (!value || !Within(*value, range)) {
      Reject(key, value ? NotWithin(*value, range) : "must hold numbers only");
      return values;
    }
    values.push_back(*value);
  }
  return values;
}

std::vector<std::string> TableReader::Texts(std::string_view key) {
  std::vector<std::string> values;
  const auto* node = static_cast<const toml::node*>(Find(key, "a list of texts", false));
  if (node == nullptr) return values;
  if (!node->is_array()) {
    Reject(key, "must be a list of texts");
    return values;
  }
  for (const toml::node& item : *node->as_array()) {
    if (!item.is_string()) {
      Reject(key, "must hold texts only");
      return values;
    }
    values.push_back(item.as_string()->get());
  }
  return values;
}

std::vector<std::pair<double, double>> TableReader::Pairs(std::string_view key, Range first,
                                                          Range second) {
  std::vector<std::pair<double, double>> pairs;
  const auto* node = static_cast<const toml::node*>(Find(key, "a list of pairs", false));
  if (node == nullptr) return pairs;
  const toml::array* array = node->as_array();
  const char* kShape = "must be a list of pairs of numbers: [[20, 800], [50, 200]]";
  if (array == nullptr || array->empty()) {
    Reject(key, kShape);
    return pairs;
  }
  for (const toml::node& item : *array) {
    const toml::array* pair = item.as_array();
    const auto left = pair != nullptr && pair->size() == 2 ? NumberOf(*pair->get(0)) : std::nullopt;
    const auto right = left ? NumberOf(*pair->get(1)) : std::nullopt;
    if (!left || !right) {
      Reject(key, kShape);
      return pairs;
    }
    if (!Within(*left, first) || !Within(*right, second)) {
      Reject(key, Within(*left, first) ? NotWithin(*right, second) : NotWithin(*left, first));
      return pairs;
    }
    pairs.emplace_back(*left, *right);
  }
  return pairs;
}

TableReader TableReader::Table(std::string_view key) {
  const auto* node = static_cast<const toml::node*>(Find(key, "a table", false));
  if (node != nullptr && !node->is_table()) {
    Reject(key, "must be a table");
    node = nullptr;
  }
  const toml::table* table = node == nullptr ? nullptr : node->as_table();
  return TableReader(document_, table, fmt::format("{}{}.", path_, key));
}

std::vector<TableReader> TableReader::Tables(std::string_view key) {
  std::vector<TableReader> tables;
  const auto* node = static_cast<const toml::node*>(Find(key, "[[a list of tables]]", false));
  if (node == nullptr) return tables;
  const toml::array* array = node->as_array();
  if (array == nullptr || array->empty()) {
    Reject(key, fmt::format("must be a list of tables: [[{}]]", key));
    return tables;
  }
  for (size_t i = 0; i < array->size(); ++i) {
    const toml::table* table = array->get(i)->as_table();
    if (table == nullptr) {
      Reject(key, fmt::format("must be a list of tables: [[{}]]", key));
      return tables;
    }
    tables.push_back(TableReader(document_, table, fmt::format("{}{}[{}].", path_, key, i)));
  }
  return tables;
}

void TableReader::Reject(std::string_view key, std::string message) {
  document_->Fail(std::move(message), Place(key));
}

Result<> TableReader::Done() {
  if (!document_->error && table_ != nullptr) {
    for (const auto& [key, node] : AsTable(table_)) {
      if (!read_.contains(key.str())) {
        Reject(key.str(), "is not a known key here");
        break;
      }
    }
  }
  if (document_->error) return std::unexpected(*document_->error);
  return {};
}

}  // namespace jikji::fleet
