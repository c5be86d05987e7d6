// `Idempotency-Key`: a request that is sent twice is worked on once, and charged once.
//
// The first request with a key runs; one with the same key and the same text, by the same API key
// and within a day, gets the answer of the first: as it was given, or as it comes where it is still
// under way. The first runs to its end even if its client goes away, which is what the second is
// sent for. The same key with another text is refused (422), and so is one whose answer is not
// kept any more (409): nothing is charged twice. An answer that is an error is not kept.
//
// What must not be told any more falls, as Enforce says: a stop of the organisation or the model,
// an organisation that is archived (which comes before its content is erased).
//
// Limits: of each API key its latest kMostKeys keys, and answers of kMostBytes; of all together
// kMostBytesOfAll; one longer than kMostBytesOfOne is not kept. Held in this process's memory only:
// a restart forgets, and servers do not tell one another. Thread-safe.
#ifndef JIKJI_API_KEPT_ANSWERS_H_
#define JIKJI_API_KEPT_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "api/api_error.h"
#include "net/http.h"

namespace jikji {

inline constexpr const char* kIdempotencyKey = "Idempotency-Key";

class Directory;
class KeptAnswer;

class KeptAnswers : public std::enable_shared_from_this<KeptAnswers> {
 public:
  static constexpr size_t kMostKeys = 4096;
  static constexpr size_t kMostBytes = 4u << 20;
  static constexpr size_t kMostBytesOfAll = 256u << 20;
  static constexpr size_t kMostBytesOfOne = 1u << 20;
  static constexpr int64_t kMicroseconds = 24ll * 3600 * 1'000'000;

  struct Question {
    int64_t api_key = 0;  // its number; 0 where no governance is set up
    int64_t organisation = 0;
    std::string_view key;  // what the header says
    const net::Request& request;
    int64_t now = 0;  // steady microseconds
    // Asked before an answer is given again; what it says is what the client gets instead.
    std::function<ApiResult<>()> may_repeat;
  };
  // What to answer through, where the request is to be worked on; nullptr: it was answered before,
  // and `responder` says so or will. An error is for the caller to send.
  struct Place {
    std::shared_ptr<net::Responder> responder;
    uint64_t number = 0;
  };
  ApiResult<Place> Begin(const Question& question, std::shared_ptr<net::Responder> responder);

  // Once it is known which model the answer is of.
  void SetModel(int64_t api_key, uint64_t number, std::string model);

  // Drops the answers that fall; how many there were. They stay known: nothing is charged twice.
  size_t Enforce(const Directory& directory);

  size_t bytes() const;
  size_t keys() const;

 private:
  friend class KeepingResponder;
  struct Known {
    std::string key;
    std::shared_ptr<KeptAnswer> answer;
    int64_t organisation = 0;
    std::string model = {};
  };
  // What is kept for one API key, by the numbers of the answers: a later one has a greater one.
  struct Holder {
    std::map<std::string, uint64_t, std::less<>> by_key;
    std::map<uint64_t, Known> by_age;
    std::map<uint64_t, size_t> bytes_of;  // of those that are over and kept
    size_t bytes = 0;
  };

  // All under mutex_.
  void Erase(int64_t api_key, uint64_t number);
  void DropAnswer(int64_t api_key, uint64_t number);
  void MakeRoom(int64_t api_key, int64_t now);

  // From the answer, once it is over.
  void Ended(int64_t api_key, uint64_t number, size_t bytes);
  void Forget(int64_t api_key, uint64_t number);

  mutable std::mutex mutex_;
  uint64_t last_number_ = 0;
  size_t bytes_ = 0;
  std::map<int64_t, Holder> holders_;
  std::set<std::pair<uint64_t, int64_t>> ages_, answers_;  // oldest first, with the API key
};

}  // namespace jikji

#endif  // JIKJI_API_KEPT_ANSWERS_H_
