// A hub over the network, as `jikji hub pull` and `push` speak to it: Hugging Face's API, and what
// Jikji's own hub adds to it.
//
// Thread-safe. Errors name the URL; a refusal carries the hub's own sentence.
#ifndef JIKJI_HUB_CLIENT_REMOTE_H_
#define JIKJI_HUB_CLIENT_REMOTE_H_

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/client.h"

namespace jikji::hub {

struct RemoteFile {
  std::string path;
  uint64_t size = 0;
  std::string etag;  // what it is called in a cache: SHA-256 where large, else git's id
  bool large = false;
};

// What each piece of a large file hashes to.
struct PieceList {
  uint64_t piece_bytes = 0;
  std::vector<std::string> sha256;
};

class Remote {
 public:
  // `url`: http://host:port; `token` may be empty.
  Remote(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}

  // The commit that a revision is. kNotFound.
  Result<std::string> Commit(const std::string& repository, const std::string& revision);
  Result<std::vector<RemoteFile>> Files(const std::string& repository, const std::string& commit);
  // OWNER/NAME of the models that the token sees; of one owner where it is not empty.
  Result<std::vector<std::string>> Models(const std::string& owner);
  // nullopt where the hub tells of no pieces.
  Result<std::optional<PieceList>> Pieces(const std::string& repository, const std::string& commit,
                                          const std::string& path);
  // Bytes [begin, end) of a file, to be read as the caller is ready for them. Follows the hub to
  // the host that it sends its files from; the token stays behind.
  Result<net::BodyReader> Read(const std::string& repository, const std::string& commit,
                               const std::string& path, uint64_t begin, uint64_t end);

  // A call of the API with a JSON answer. `absent_is_null`: 404 is null, not an error.
  Result<boost::json::value> Call(const std::string& method, const std::string& path,
                                  const std::string& body, const std::string& content_type,
                                  bool absent_is_null = false);
  // As Call, with the statuses that are no error beside 2xx; the status.
  Result<int> Post(const std::string& path, const boost::json::value& body, int also_fine);
  // Sends a part of a file to a URL that carries its own right.
  Result<> Put(const std::string& url, const net::FilePart& part);

  const std::string& url() const { return url_; }

 private:
  // Visits each object of a list that comes in pages.
  Result<> ForEach(std::string url,
                   const std::function<Result<>(const boost::json::object&)>& visit);
  net::ClientRequest Request(const std::string& method, const std::string& url) const;
  Result<net::Response> Fetch(const net::ClientRequest& request);

  const std::string url_;
  const std::string token_;
  net::ConnectionPool pool_;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_REMOTE_H_
