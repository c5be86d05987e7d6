// Commits and the branches and tags that name them.
//
// Contract: a commit never changes; its id is the one git would give it, so it proves its tree and
// its history. A branch moves in one transaction from a commit to one whose parent that commit is:
// of many who push at once, those who named the tip they saw win once each, the others are told
// where the branch is now. Whoever names no tip has their changes put on what is there.
#ifndef JIKJI_HUB_COMMITS_H_
#define JIKJI_HUB_COMMITS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/hub.h"
#include "hub/repositories.h"

namespace jikji::hub {

struct Commit {
  std::string oid;
  std::string tree;
  std::string parent;  // empty: the first
  std::string title;
  std::string message;
  std::string author;
  int64_t created_at = 0;
};

struct Ref {
  std::string kind;  // "branch" or "tag"
  std::string name;
  std::string target;
  std::string message;
};

// The first commit, which holds nothing, on `main`. Within a transaction.
Result<> WriteFirstCommit(Database& database, int64_t repository, const std::string& author);

// A branch, a tag, or a commit's id (of 7 to 40 digits). kNotFound where it is none.
Result<Commit> ResolveRevision(Database& database, int64_t repository, const std::string& revision);
Result<std::vector<Ref>> ListRefs(Database& database, int64_t repository);

struct Change {
  enum class Kind { kPut, kDeleteFile, kDeleteFolder };
  Kind kind = Kind::kPut;
  std::string path;
  File file;  // where it is put
};

struct CommitRequest {
  int64_t repository = 0;
  std::string owner;  // whose blobs these must be
  std::string branch = "main";
  std::string parent;  // the tip that the caller saw; empty: whatever it is
  std::string title;
  std::string message;
  std::string author;
  std::vector<Change> changes;
};

struct CommitOutcome {
  enum class Status {
    kDone,
    kUnchanged,  // the tip holds all this already; no commit was made
    kLost,       // the branch is not where the caller saw it
  };
  Status status = Status::kDone;
  std::string oid;  // the tip of the branch, now
};

// kNotFound: no such branch, file to delete, or blob; kResourceExhausted: the owner's quota;
// kInvalidArgument: a path that cannot be.
Result<CommitOutcome> CommitTo(Hub& hub, Database& database, const CommitRequest& request);

// The id that git would give it.
std::string CommitId(const Commit& commit);

// Takes in a commit of another hub with the id it has there; the files of its history stay there.
// kMalformed where the id is not that of the commit and its files; kInvalidArgument where the
// branch holds something that is neither among `ancestors` nor nothing; else as CommitTo.
Result<> AdoptCommit(Database& database, const Repository& repository, const std::string& branch,
                     const Commit& commit, const std::vector<Commit>& ancestors,
                     const Listing& listing);

// For whoever keeps other hubs' commits, within a transaction.
//
// Where a branch or tag is; empty: it is not there.
Result<std::string> TargetOf(Database& database, int64_t repository, const std::string& kind,
                             const std::string& name);
// True for the empty commit that a repository begins with.
Result<bool> HoldsNothing(Database& database, int64_t repository, const std::string& oid);
// Takes in a commit under the id it says, with its files, which the owner holds. Errors as
// CommitTo; kMalformed where its tree is not that of the files.
Result<> KeepCommit(Database& database, const Repository& repository, const Commit& commit,
                    const Listing& listing);
// Makes a branch or tag, or moves it.
Result<> PointRef(Database& database, int64_t repository, const Ref& ref);

// Of a revision, newest first.
Result<std::vector<Commit>> History(Database& database, int64_t repository, const std::string& oid,
                                    size_t skip, size_t limit);

// kInvalidArgument where it exists, or a name would be a folder of another.
Result<> CreateRef(Database& database, int64_t repository, const Ref& ref);
// kNotFound where there is none; `main` cannot be deleted.
Result<> DeleteRef(Database& database, int64_t repository, const std::string& kind,
                   const std::string& name);
// One commit without history that holds what the branch holds.
Result<std::string> SquashBranch(Database& database, int64_t repository, const std::string& branch,
                                 const std::string& message, const std::string& author);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_COMMITS_H_
