#include "model/tensor_roles.h"

namespace jikji {

std::vector<TensorNeed> TensorsOf(const DecoderSpec& spec) {
  using enum TensorRole;
  const int64_t queries = spec.heads * spec.head_dim;
  const int64_t keys = spec.kv_heads * spec.head_dim;
  std::vector<TensorNeed> needs;
  needs.push_back({kEmbedding, -1, {spec.vocab, spec.hidden}});
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const auto add = [&](TensorRole role, std::vector<int64_t> shape) {
      needs.push_back({role, static_cast<int32_t>(i), std::move(shape)});
    };
    if (spec.pre_norm) add(kAttentionNorm, {spec.hidden});
    add(kQuery, {queries, spec.hidden});
    add(kKey, {keys, spec.hidden});
    add(kValue, {keys, spec.hidden});
    if (spec.qkv_bias) {
      add(kQueryBias, {queries});
      add(kKeyBias, {keys});
      add(kValueBias, {keys});
    }
    if (spec.qk_norm) {
      add(kQueryNorm, {spec.head_dim});
      add(kKeyNorm, {spec.head_dim});
    }
    add(kOutput, {spec.hidden, queries});
    if (spec.output_bias) add(kOutputBias, {spec.hidden});
    if (spec.post_norm) add(kAttentionPostNorm, {spec.hidden});
    if (spec.pre_norm) add(kMlpNorm, {spec.hidden});
    add(kGate, {spec.intermediate, spec.hidden});
    add(kUp, {spec.intermediate, spec.hidden});
    add(kDown, {spec.hidden, spec.intermediate});
    if (spec.mlp_bias) {
      add(kGateBias, {spec.intermediate});
      add(kUpBias, {spec.intermediate});
      add(kDownBias, {spec.hidden});
    }
    if (spec.post_norm) add(kMlpPostNorm, {spec.hidden});
  }
  needs.push_back({kFinalNorm, -1, {spec.hidden}});
  if (!spec.tied_head) needs.push_back({kHead, -1, {spec.vocab, spec.hidden}});
  return needs;
}

std::string_view HuggingFaceName(TensorRole role) {
  using enum TensorRole;
  switch (role) {
    case kEmbedding:
      return "model.embed_tokens.weight";
    case kFinalNorm:
      return "model.norm.weight";
    case kHead:
      return "lm_head.weight";
    case kAttentionNorm:
      return "input_layernorm.weight";
    case kQuery:
      return "self_attn.q_proj.weight";
    case kKey:
      return "self_attn.k_proj.weight";
    case kValue:
      return "self_attn.v_proj.weight";
    case kOutput:
      return "self_attn.o_proj.weight";
    case kQueryBias:
      return "self_attn.q_proj.bias";
    case kKeyBias:
      return "self_attn.k_proj.bias";
    case kValueBias:
      return "self_attn.v_proj.bias";
    case kOutputBias:
      return "self_attn.o_proj.bias";
    case kQueryNorm:
      return "self_attn.q_norm.weight";
    case kKeyNorm:
      return "self_attn.k_norm.weight";
    case kAttentionPostNorm:
      return "post_attention_layernorm.weight";
    case kMlpNorm:
      return "post_attention_layernorm.weight";
    case kGate:
      return "mlp.gate_proj.weight";
    case kUp:
      return "mlp.up_proj.weight";
    case kDown:
      return "mlp.down_proj.weight";
    case kGateBias:
      return "mlp.gate_proj.bias";
    case kUpBias:
      return "mlp.up_proj.bias";
    case kDownBias:
      return "mlp.down_proj.bias";
    case kMlpPostNorm:
      return "post_feedforward_layernorm.weight";
  }
  return "";
}

std::string_view GgufName(TensorRole role) {
  using enum TensorRole;
  switch (role) {
    case kEmbedding:
      return "token_embd.weight";
    case kFinalNorm:
      return "output_norm.weight";
    case kHead:
      return "output.weight";
    case kAttentionNorm:
      return "attn_norm.weight";
    case kQuery:
      return "attn_q.weight";
    case kKey:
      return "attn_k.weight";
    case kValue:
      return "attn_v.weight";
    case kOutput:
      return "attn_output.weight";
    case kQueryBias:
      return "attn_q.bias";
    case kKeyBias:
      return "attn_k.bias";
    case kValueBias:
      return "attn_v.bias";
    case kOutputBias:
      return "attn_output.bias";
    case kQueryNorm:
      return "attn_q_norm.weight";
    case kKeyNorm:
      return "attn_k_norm.weight";
    case kAttentionPostNorm:
      return "post_attention_norm.weight";
    case kMlpNorm:
      return "ffn_norm.weight";
    case kGate:
      return "ffn_gate.weight";
    case kUp:
      return "ffn_up.weight";
    case kDown:
      return "ffn_down.weight";
    case kGateBias:
      return "ffn_gate.bias";
    case kUpBias:
      return "ffn_up.bias";
    case kDownBias:
      return "ffn_down.bias";
    case kMlpPostNorm:
      return "post_ffw_norm.weight";
  }
  return "";
}

}  // namespace jikji
