#include "hub/http/upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace jikji::hub {

std::shared_ptr<Upload> Upload::Begin(Hub& hub, const net::Request& head) {
  auto upload = std::make_shared<Upload>();
  auto url = ReadSignedUrl(head.path, head.query, hub.secret(), NowSeconds());
  if (!url) {
    upload->error_ = url.error();
    return upload;
  }
  upload->url_ = *url;
  if (url->action == "put") {
    auto writer = hub.blobs().Begin();
    if (writer) {
      upload->writer_.emplace(*std::move(writer));
    } else {
      upload->error_ = writer.error();
    }
  } else if (url->action == "part") {
    const auto path = hub.blobs().PartialPath("parts-" + url->upload);
    upload->part_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (upload->part_ < 0) {
      upload->error_ =
          Error{ErrorCode::kIo, std::string("cannot open: ") + std::strerror(errno), path.string()};
    }
  } else {
    upload->error_ = Error{ErrorCode::kPermissionDenied, "the URL is not for sending bytes", ""};
  }
  return upload;
}

Upload::~Upload() {
  if (part_ >= 0) close(part_);
}

bool Upload::Write(std::string_view piece) {
  if (error_) return false;
  const uint64_t wanted = url_.action == "part" ? url_.length : url_.size;
  if (piece.size() > wanted - taken_) {
    error_ = Error{ErrorCode::kInvalidArgument, "more bytes came than were announced", ""};
    return false;
  }
  if (writer_) {
    if (auto written = writer_->Write(piece); !written) error_ = written.error();
  } else {
    uint64_t offset = url_.offset + taken_;
    for (std::string_view rest = piece; !rest.empty() && !error_;) {
      const ssize_t count = pwrite(part_, rest.data(), rest.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        error_ = Error{errno == ENOSPC ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
                       std::string("cannot write: ") + std::strerror(errno), ""};
        break;
      }
      offset += static_cast<uint64_t>(count);
      rest.remove_prefix(static_cast<size_t>(count));
    }
  }
  taken_ += piece.size();
  return !error_;
}

Result<> Upload::FinishPart() {
  if (taken_ != url_.length) {
    return Fail(ErrorCode::kInvalidArgument, "fewer bytes came than were announced");
  }
  if (fsync(part_) != 0) return Fail(ErrorCode::kIo, "cannot sync the part");
  return {};
}

}  // namespace jikji::hub
