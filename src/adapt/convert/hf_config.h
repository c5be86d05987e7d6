// A DecoderSpec as config.json: what transformers needs to build the model.
#ifndef JIKJI_ADAPT_CONVERT_HF_CONFIG_H_
#define JIKJI_ADAPT_CONVERT_HF_CONFIG_H_

#include <boost/json.hpp>

#include "base/error.h"
#include "model/decoder_spec.h"
#include "tensor/dtype.h"

namespace jikji {

// `dtype` is what the matrices are of. An error where the spec has a part that config.json has no
// field for.
Result<boost::json::object> ConfigOf(const DecoderSpec& spec, DType dtype);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_HF_CONFIG_H_
