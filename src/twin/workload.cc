#include "twin/workload.h"

#include <algorithm>
#include <cmath>
#include <queue>

namespace jikji::twin {
namespace {

fleet::ServiceClass ClassAt(const ClassShares& shares, double draw) {
  double below = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    below += shares[i];
    if (draw < below) return static_cast<fleet::ServiceClass>(i);
  }
  return fleet::ServiceClass::kStandard;
}

class TraceReplay : public Workload {
 public:
  TraceReplay(Trace trace, const ReplayOptions& options)
      : trace_(std::move(trace)), options_(options), random_(options.seed) {
    double output = 0;
    for (const TraceRequest& request : trace_.requests) output += request.output;
    mean_output_ = output / static_cast<double>(trace_.requests.size());
    for (int32_t copy = 0; copy < options_.copies; ++copy) {
      Start(copy, trace_.seconds * copy / options_.copies);
    }
  }

  bool Next(Arrival& arrival) override {
    if (cursors_.empty() || cursors_.top().time >= options_.seconds) return false;
    Cursor cursor = cursors_.top();
    cursors_.pop();
    const TraceRequest& request = trace_.requests[cursor.at];
    arrival.time = cursor.time;
    arrival.prompt = request.prompt;
    arrival.output = request.output;
    arrival.service = ClassAt(options_.classes, random_.Uniform());
    prefix_.clear();
    for (uint32_t i = request.blocks_begin; i < request.blocks_end; ++i) {
      prefix_.push_back(fleet::Chain(cursor.salt, trace_.blocks[i]));
    }
    arrival.prefix = prefix_;
    Advance(cursor);
    return true;
  }

  void Exchange(StateStream& stream) override {
    std::vector<Cursor> cursors;
    for (; !cursors_.empty(); cursors_.pop()) cursors.push_back(cursors_.top());
    stream.List(cursors);
    for (const Cursor& cursor : cursors) cursors_.push(cursor);
    stream.Plain(random_);
  }

  double mean_output() const override { return mean_output_; }

 private:
  struct Cursor {
    double time;
    int32_t copy;
    uint32_t at;
    double origin;  // when the first request of this round comes, or would have come
    uint64_t salt;
    bool operator>(const Cursor& other) const {
      return time > other.time || (time == other.time && copy > other.copy);
    }
  };

  // A copy that is shifted by so much begins in the midst of the trace.
  void Start(int32_t copy, double shift) {
    const auto first = std::ranges::lower_bound(trace_.requests, shift, {}, &TraceRequest::time);
    Cursor cursor{0, copy, static_cast<uint32_t>(first - trace_.requests.begin()), -shift, 0};
    cursor.salt = fleet::Mix(options_.seed * 1000 + static_cast<uint64_t>(copy));
    if (first == trace_.requests.end()) Wrap(cursor);
    cursor.time = cursor.origin + trace_.requests[cursor.at].time;
    cursors_.push(cursor);
  }

  void Wrap(Cursor& cursor) const {
    cursor.at = 0;
    cursor.origin += trace_.seconds;
    cursor.salt = fleet::Mix(cursor.salt);
  }

  void Advance(Cursor& cursor) {
    if (++cursor.at == trace_.requests.size()) Wrap(cursor);
    cursor.time = cursor.origin + trace_.requests[cursor.at].time;
    cursors_.push(cursor);
  }

  Trace trace_;
  ReplayOptions options_;
  Random random_;
  double mean_output_;
  std::vector<uint64_t> prefix_;
  std::priority_queue<Cursor, std::vector<Cursor>, std::greater<>> cursors_;
};

// A table of 4,096 equal parts, so that a draw is one look-up.
std::vector<uint32_t> Drawable(const LengthTable& table) {
  std::vector<uint32_t> values(4096);
  for (size_t i = 0; i < values.size(); ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(values.size());
    values[i] = static_cast<uint32_t>(std::max(1.0, LengthAt(table, share)));
  }
  return values;
}

class SyntheticWorkload : public Workload {
 public:
  explicit SyntheticWorkload(SyntheticOptions options)
      : options_(std::move(options)),
        random_(options_.seed),
        prompts_(Drawable(options_.prompts)),
        outputs_(Drawable(options_.outputs)),
        conversations_(kConversations) {
    for (const uint32_t output : outputs_) mean_output_ += output;
    mean_output_ /= static_cast<double>(outputs_.size());
    most_ = *std::ranges::max_element(options_.shape);
  }

  bool Next(Arrival& arrival) override {
    // Thinning: candidates at the day's highest rate, kept as often as the hour's rate is of it.
    do {
      time_ += random_.Exponential(1 / (options_.requests_per_second * most_));
      if (time_ >= options_.seconds) return false;
    } while (random_.Uniform() * most_ >= Shape());
    arrival.time = time_;
    arrival.prompt = Draw(prompts_);
    arrival.output = Draw(outputs_);
    arrival.service = ClassAt(options_.classes, random_.Uniform());
    Converse(arrival);
    return true;
  }

  void Exchange(StateStream& stream) override {
    stream.Plain(random_, time_);
    stream.List(conversations_);
  }

  double mean_output() const override { return mean_output_; }

 private:
  // How many conversations may be gone on with: those of the last minutes.
  static constexpr size_t kConversations = 1 << 16;
  static constexpr uint32_t kMostBlocks = 64;

  struct Conversation {
    uint64_t seed = 0;
    uint32_t tokens = 0;
    uint32_t system = 0;
  };

  double Shape() const {
    const double day = time_ / 86400;
    const double part = (day - std::floor(day)) * static_cast<double>(options_.shape.size());
    return options_.shape[std::min(static_cast<size_t>(part), options_.shape.size() - 1)];
  }

  uint32_t Draw(const std::vector<uint32_t>& table) { return table[random_.Below(table.size())]; }

  // The first block is a system prompt, the others are of the conversation.
  void Converse(Arrival& arrival) {
    Conversation& slot = conversations_[random_.Below(kConversations)];
    if (slot.seed != 0 && random_.Uniform() < options_.turn_share) {
      arrival.prompt = std::min(arrival.prompt + slot.tokens, kMostBlocks * kBlockTokens);
    } else {
      // The square of a uniform draw: the first of the system prompts are popular.
      const double draw = random_.Uniform();
      slot = {random_.Next() | 1, 0, static_cast<uint32_t>(draw * draw * options_.system_prompts)};
    }
    slot.tokens = arrival.prompt;
    const size_t blocks = std::min(arrival.prompt / uint32_t{kBlockTokens}, kMostBlocks);
    uint64_t before = fleet::Mix(slot.system + 1);
    for (size_t i = 0; i < blocks; ++i) {
      prefix_[i] = before;
      before = fleet::Chain(before, slot.seed);
    }
    arrival.prefix = std::span(prefix_).first(blocks);
  }

  SyntheticOptions options_;
  Random random_;
  std::vector<uint32_t> prompts_, outputs_;
  std::vector<Conversation> conversations_;
  std::array<uint64_t, kMostBlocks> prefix_{};
  double mean_output_ = 0;
  double most_ = 1;
  double time_ = 0;
};

LengthTable TableOf(std::vector<double> values) {
  std::ranges::sort(values);
  LengthTable table;
  for (size_t i = 0; i < values.size(); ++i) {
    const double share = static_cast<double>(i + 1) / static_cast<double>(values.size());
    if (!table.empty() && table.back().first == values[i]) {
      table.back().second = share;
    } else {
      table.emplace_back(values[i], share);
    }
  }
  return table;
}

// Equal parts of an exponential of this mean, from one token on.
LengthTable Exponential(double mean) {
  constexpr int kParts = 1000;
  LengthTable table;
  for (int i = 0; i < kParts; ++i) {
    const double middle = (i + 0.5) / kParts;
    table.emplace_back(std::max(1.0, -mean * std::log1p(-middle)), (i + 1.0) / kParts);
  }
  return table;
}

}  // namespace

std::unique_ptr<Workload> Replay(Trace trace, const ReplayOptions& options) {
  return std::make_unique<TraceReplay>(std::move(trace), options);
}

std::unique_ptr<Workload> Synthetic(SyntheticOptions options) {
  return std::make_unique<SyntheticWorkload>(std::move(options));
}

Lengths LengthsOf(const Trace& trace) {
  std::vector<double> prompts, outputs;
  for (const TraceRequest& request : trace.requests) {
    prompts.push_back(request.prompt);
    outputs.push_back(request.output);
  }
  return {TableOf(std::move(prompts)), TableOf(std::move(outputs))};
}

Lengths TypicalLengths() { return {Exponential(1155), Exponential(211)}; }

}  // namespace jikji::twin
