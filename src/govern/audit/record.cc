#include "govern/audit/record.h"

#include <algorithm>

#include "govern/audit/byte_io.h"

namespace jikji::audit {
namespace {

constexpr uint8_t kVersion = 1;

void AppendName(std::string_view name, std::string& out) {
  AppendInt(static_cast<uint8_t>(name.size()), out);
  out += name;
}

}  // namespace

std::vector<FieldView> ViewsOf(std::span<const Field> fields) {
  std::vector<FieldView> views;
  views.reserve(fields.size());
  for (const Field& field : fields) views.push_back({field.name, field.value, field.keyed});
  return views;
}

Result<> CheckRecord(const Record& record) {
  const std::vector<FieldView> fields = ViewsOf(record.fields);
  return CheckRecord(RecordView{.tenant = record.tenant, .event = record.event, .fields = fields});
}

Result<> CheckRecord(const RecordView& record) {
  const auto fits = [](const FieldView& field) {
    return field.name.size() <= kMaxNameBytes && field.value.size() <= kMaxValueBytes;
  };
  if (record.tenant.size() > kMaxNameBytes || record.event.size() > kMaxNameBytes ||
      record.fields.size() > kMaxFields || !std::ranges::all_of(record.fields, fits)) {
    return Fail(ErrorCode::kInvalidArgument,
                "an audit record has names of at most 255 bytes, values of at most 65,535 and at "
                "most 64 fields");
  }
  return {};
}

void EncodeRecord(const Record& record, std::string& out) {
  const std::vector<FieldView> fields = ViewsOf(record.fields);
  EncodeRecord({record.index, record.time, record.tenant_index, record.previous, record.tenant,
                record.event, fields},
               out);
}

void EncodeRecord(const RecordView& record, std::string& out) {
  AppendInt(kVersion, out);
  AppendInt(record.index, out);
  AppendInt(record.time, out);
  AppendInt(record.tenant_index, out);
  out += BytesOf(record.previous);
  AppendName(record.tenant, out);
  AppendName(record.event, out);
  AppendInt(static_cast<uint8_t>(record.fields.size()), out);
  for (const FieldView& field : record.fields) {
    AppendName(field.name, out);
    AppendInt(static_cast<uint8_t>(field.keyed), out);
    AppendInt(static_cast<uint16_t>(field.value.size()), out);
    out += field.value;
  }
}

Result<Record> DecodeRecord(std::string_view bytes) {
  ByteReader reader(bytes);
  Record record;
  const auto version = reader.Int<uint8_t>();
  record.index = reader.Int<uint64_t>();
  record.time = reader.Int<uint64_t>();
  record.tenant_index = reader.Int<uint64_t>();
  record.previous = reader.Array<32>();
  record.tenant = reader.Bytes(reader.Int<uint8_t>());
  record.event = reader.Bytes(reader.Int<uint8_t>());
  const auto fields = reader.Int<uint8_t>();
  bool flags = true;
  for (uint8_t i = 0; i < fields && reader.ok(); ++i) {
    Field& field = record.fields.emplace_back();
    field.name = reader.Bytes(reader.Int<uint8_t>());
    const auto keyed = reader.Int<uint8_t>();
    flags &= keyed <= 1;
    field.keyed = keyed == 1;
    field.value = reader.Bytes(reader.Int<uint16_t>());
  }
  if (version != kVersion || fields > kMaxFields || !flags || !reader.at_end()) {
    return Fail(ErrorCode::kMalformed, "is no audit record");
  }
  return record;
}

}  // namespace jikji::audit
