// Takes the bytes of a blob, or of a part of one, off the network as they come.
#ifndef JIKJI_HUB_HTTP_UPLOAD_H_
#define JIKJI_HUB_HTTP_UPLOAD_H_

#include <memory>
#include <optional>

#include "base/error.h"
#include "hub/http/signed_url.h"
#include "hub/hub.h"
#include "net/http.h"

namespace jikji::hub {

class Upload : public net::BodySink {
 public:
  // For a request with a body at a signed URL; never nullptr: where the URL is not good, one that
  // wants nothing and holds the error.
  static std::shared_ptr<Upload> Begin(Hub& hub, const net::Request& head);

  ~Upload() override;
  bool Write(std::string_view piece) override;

  // What went wrong so far.
  const std::optional<Error>& error() const { return error_; }
  const SignedUrl& url() const { return url_; }
  // Of a whole blob: what was written.
  BlobWriter& writer() { return *writer_; }
  // Of a part: all of it came and is on the disk.
  Result<> FinishPart();

 private:
  std::optional<Error> error_;
  SignedUrl url_;
  std::optional<BlobWriter> writer_;
  int part_ = -1;
  uint64_t taken_ = 0;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_UPLOAD_H_
