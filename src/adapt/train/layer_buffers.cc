#include "adapt/train/layer.h"

namespace jikji::train {
namespace {

struct Widths {
  int64_t hidden, query, key, intermediate;
};

Widths WidthsOf(const DecoderSpec& spec) {
  return {spec.hidden, spec.heads * spec.head_dim, spec.kv_heads * spec.head_dim,
          spec.intermediate};
}

struct Field {
  std::vector<float>* values;
  int64_t width;
};

std::vector<Field> Fields(LayerActivations& a, const DecoderSpec& spec) {
  const Widths w = WidthsOf(spec);
  std::vector<Field> fields = {
      {&a.query, w.query},          {&a.key, w.key},         {&a.value, w.key},
      {&a.log_sum_exp, spec.heads}, {&a.attended, w.query},  {&a.middle, w.hidden},
      {&a.gate, w.intermediate},    {&a.up, w.intermediate}, {&a.activated, w.intermediate}};
  if (spec.pre_norm)
    fields.insert(fields.end(), {{&a.attention_in, w.hidden}, {&a.mlp_in, w.hidden}});
  if (spec.qk_norm) fields.insert(fields.end(), {{&a.query_raw, w.query}, {&a.key_raw, w.key}});
  if (spec.post_norm) {
    fields.insert(fields.end(), {{&a.attention_out, w.hidden}, {&a.mlp_out, w.hidden}});
  }
  return fields;
}

std::vector<Field> Fields(LayerScratch& s, const DecoderSpec& spec) {
  const Widths w = WidthsOf(spec);
  return {{&s.added, w.hidden}, {&s.hidden, w.hidden},  {&s.query, w.query},      {&s.key, w.key},
          {&s.value, w.key},    {&s.attended, w.query}, {&s.wide, w.intermediate}};
}

void Grow(const std::vector<Field>& fields, int64_t rows) {
  for (const Field& field : fields) {
    const auto count = static_cast<size_t>(rows * field.width);
    if (field.values->size() >= count) continue;
    std::vector<float>().swap(*field.values);  // not both at once
    field.values->resize(count);
  }
}

int64_t Width(const std::vector<Field>& fields) {
  int64_t width = 0;
  for (const Field& field : fields) width += field.width;
  return width;
}

}  // namespace

void LayerActivations::Fit(const DecoderSpec& spec, int64_t rows) {
  Grow(Fields(*this, spec), rows);
}

int64_t LayerActivations::ValuesPerRow(const DecoderSpec& spec) {
  LayerActivations none;
  return Width(Fields(none, spec));
}

void LayerScratch::Fit(const DecoderSpec& spec, int64_t rows) { Grow(Fields(*this, spec), rows); }

int64_t LayerScratch::ValuesPerRow(const DecoderSpec& spec) {
  LayerScratch none;
  return Width(Fields(none, spec));
}

}  // namespace jikji::train
