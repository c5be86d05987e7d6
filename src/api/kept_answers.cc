#include "api/kept_answers.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "api/kept_answer.h"
#include "govern/tenancy/directory.h"
#include "store/digest.h"

namespace jikji {
namespace {

constexpr size_t kMostKeyBytes = 255;
constexpr int kFirstError = 400;

bool IsUsable(std::string_view key) {
  return !key.empty() && key.size() <= kMostKeyBytes &&
         std::ranges::all_of(key, [](char c) { return c >= ' ' && c <= '~'; });
}

Digest DigestOf(const net::Request& request) {
  Sha256Stream sum;
  sum.Update(request.path);
  sum.Update({"\0", 1});
  sum.Update(request.body);
  return sum.Finish();
}

std::unexpected<ApiError> Deny(int status, std::string_view message, const char* code) {
  ApiError error = ErrorOfStatus(status, message);
  error.param = kIdempotencyKey;
  error.code = code;
  return std::unexpected(std::move(error));
}

}  // namespace

// What the route answers through. An answer that never came, or that is an error, frees its key.
class KeepingResponder : public net::Responder {
 public:
  KeepingResponder(std::shared_ptr<KeptAnswers> owner, std::shared_ptr<KeptAnswer> answer,
                   int64_t api_key, uint64_t number)
      : owner_(std::move(owner)), answer_(std::move(answer)), api_key_(api_key), number_(number) {}
  ~KeepingResponder() override {
    if (ended_) return;
    owner_->Forget(api_key_, number_);
    answer_->Break();
  }

  void Send(net::Response response) override {
    ended_ = true;
    const bool failed = response.status >= kFirstError;
    // First, so that nobody is told of an error who has come after it.
    if (failed) owner_->Forget(api_key_, number_);
    answer_->Send(std::move(response));
    if (!failed) owner_->Ended(api_key_, number_, answer_->bytes());
  }
  void Begin(net::Response head) override { answer_->Begin(std::move(head)); }
  bool Write(std::string chunk) override { return answer_->Write(std::move(chunk)); }
  void End() override {
    ended_ = true;
    answer_->End();
    owner_->Ended(api_key_, number_, answer_->bytes());
  }
  // It runs to its end: whoever asks again finds it.
  void OnDisconnect(std::function<void()> callback) override {}

 private:
  const std::shared_ptr<KeptAnswers> owner_;
  const std::shared_ptr<KeptAnswer> answer_;
  const int64_t api_key_;
  const uint64_t number_;
  std::atomic<bool> ended_ = false;
};

ApiResult<KeptAnswers::Place> KeptAnswers::Begin(const Question& question,
                                                 std::shared_ptr<net::Responder> responder) {
  if (!IsUsable(question.key)) {
    return Deny(400, "`Idempotency-Key` is 1 to 255 printable ASCII characters",
                "invalid_idempotency_key");
  }
  const Digest digest = DigestOf(question.request);
  std::shared_ptr<KeptAnswer> answer;
  bool repeat = true;
  uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    MakeRoom(question.api_key, question.now);
    Holder& holder = holders_[question.api_key];
    const auto known = holder.by_key.find(question.key);
    if (known != holder.by_key.end()) {
      answer = holder.by_age.at(known->second).answer;
    } else {
      repeat = false;
      number = ++last_number_;
      answer = std::make_shared<KeptAnswer>(digest, question.now, kMostBytesOfOne);
      holder.by_key.emplace(question.key, number);
      holder.by_age.emplace(number,
                            Known{std::string(question.key), answer, question.organisation});
      ages_.emplace(number, question.api_key);
    }
  }
  if (repeat && answer->digest() != digest) {
    return Deny(422, "this `Idempotency-Key` was sent with another request; take a new one",
                "idempotency_key_reused");
  }
  if (repeat) JIKJI_RETURN_IF_ERROR(question.may_repeat());
  if (!answer->Join(std::move(responder), repeat)) {
    return Deny(409,
                "this request was answered and charged, but its answer is not kept any more; to "
                "ask again, take a new `Idempotency-Key`",
                "idempotency_answer_gone");
  }
  if (repeat) return Place{};
  return Place{std::make_shared<KeepingResponder>(shared_from_this(), std::move(answer),
                                                  question.api_key, number),
               number};
}

void KeptAnswers::SetModel(int64_t api_key, uint64_t number, std::string model) {
  const std::lock_guard lock(mutex_);
  const auto held = holders_.find(api_key);
  if (held == holders_.end()) return;
  const auto known = held->second.by_age.find(number);
  if (known != held->second.by_age.end()) known->second.model = std::move(model);
}

size_t KeptAnswers::Enforce(const Directory& directory) {
  const auto falls = [&](const Known& known) {
    const auto organisation = directory.organisations.find(known.organisation);
    return directory.FindStop(known.organisation, known.model) != nullptr ||
           (organisation != directory.organisations.end() && organisation->second.archived_at);
  };
  size_t fallen = 0;
  const std::lock_guard lock(mutex_);
  for (auto& [api_key, holder] : holders_) {
    for (auto& [number, known] : holder.by_age) {
      if (known.answer->dropped() || !falls(known)) continue;
      ++fallen;
      DropAnswer(api_key, number);
      known.answer->Drop();  // one under way, too
    }
  }
  return fallen;
}

void KeptAnswers::MakeRoom(int64_t api_key, int64_t now) {
  while (!ages_.empty()) {
    const auto [number, holder] = *ages_.begin();
    if (holders_[holder].by_age.at(number).answer->begun_at() + kMicroseconds > now) break;
    Erase(holder, number);
  }
  const auto held = holders_.find(api_key);
  if (held != holders_.end() && held->second.by_age.size() >= kMostKeys) {
    Erase(api_key, held->second.by_age.begin()->first);
  }
}

void KeptAnswers::DropAnswer(int64_t api_key, uint64_t number) {
  Holder& holder = holders_[api_key];
  const auto kept = holder.bytes_of.find(number);
  if (kept == holder.bytes_of.end()) return;
  holder.by_age.at(number).answer->Drop();
  holder.bytes -= kept->second;
  bytes_ -= kept->second;
  holder.bytes_of.erase(kept);
  answers_.erase({number, api_key});
}

void KeptAnswers::Erase(int64_t api_key, uint64_t number) {
  DropAnswer(api_key, number);
  ages_.erase({number, api_key});
  Holder& holder = holders_[api_key];
  const auto known = holder.by_age.find(number);
  holder.by_key.erase(known->second.key);
  holder.by_age.erase(known);
  if (holder.by_age.empty()) holders_.erase(api_key);
}

void KeptAnswers::Ended(int64_t api_key, uint64_t number, size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto held = holders_.find(api_key);
  if (held == holders_.end() || !held->second.by_age.contains(number) || bytes == 0) return;
  Holder& holder = held->second;
  holder.bytes_of.emplace(number, bytes);
  holder.bytes += bytes;
  bytes_ += bytes;
  answers_.emplace(number, api_key);
  while (holder.bytes > kMostBytes) DropAnswer(api_key, holder.bytes_of.begin()->first);
  while (bytes_ > kMostBytesOfAll) DropAnswer(answers_.begin()->second, answers_.begin()->first);
}

void KeptAnswers::Forget(int64_t api_key, uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto held = holders_.find(api_key);
  if (held != holders_.end() && held->second.by_age.contains(number)) Erase(api_key, number);
}

size_t KeptAnswers::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

size_t KeptAnswers::keys() const {
  const std::lock_guard lock(mutex_);
  return ages_.size();
}

}  // namespace jikji
