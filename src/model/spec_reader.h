// A checkpoint's own description of itself, as a DecoderSpec.
//
// Contract: a spec that comes back is consistent and within bounds; its tensors are not checked
// (Decoder::Load does that). A model that no family knows is kUnsupported, naming what is.
#ifndef JIKJI_MODEL_SPEC_READER_H_
#define JIKJI_MODEL_SPEC_READER_H_

#include <boost/json/fwd.hpp>
#include <string>

#include "base/error.h"
#include "model/decoder_spec.h"
#include "tensor/checkpoint.h"

namespace jikji {

// `file` stands for config.json in errors.
Result<DecoderSpec> SpecFromConfig(const boost::json::object& config, const std::string& file);

Result<DecoderSpec> SpecFromGguf(const Checkpoint& checkpoint);

}  // namespace jikji

#endif  // JIKJI_MODEL_SPEC_READER_H_
