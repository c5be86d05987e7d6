// Samples of a file, one after another, each with its place: JSON lines (`.jsonl`), or one JSON
// list (`.json`), either compressed or not (`.zst`).
//
// Contract: what is no JSON is given as an error, with its place, and reading goes on. Of a
// `.jsonl` file a line is in memory, of a `.json` file the whole.
#ifndef JIKJI_ADAPT_DATA_SAMPLE_READER_H_
#define JIKJI_ADAPT_DATA_SAMPLE_READER_H_

#include <boost/json/fwd.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "base/error.h"

namespace jikji {

// ".jsonl" of "chats.jsonl.zst".
std::string DataExtension(const std::filesystem::path& file);

// visit(the sample, or why it is none; "file:12", or "file#3" for the third of a list). An error
// where the file itself cannot be read.
Result<> ForEachSample(
    const std::filesystem::path& file,
    const std::function<void(Result<boost::json::value>, const std::string& place)>& visit);

}  // namespace jikji

#endif  // JIKJI_ADAPT_DATA_SAMPLE_READER_H_
