// Where tenants and their budgets are kept: the settings that `serve` and `tenant` share.
#ifndef JIKJI_APP_STORE_SETTINGS_H_
#define JIKJI_APP_STORE_SETTINGS_H_

#include <string>

#include "app/settings.h"
#include "base/error.h"

namespace jikji {

struct StoreSettings {
  std::string store;  // empty: no tenants
  std::string pepper;
  std::string pepper_file;
  std::string journal;
  std::string audit;

  void AddTo(Settings& settings);

  // The secret under which keys are stored, from its setting or its file.
  Result<std::string> ReadPepper() const;
  // Beside an SQLite file unless it is set.
  Result<std::string> PepperPath() const;
  Result<std::string> JournalPath() const;
  // Beside the SQLite file, else beside the journal, unless it is set; empty where it is `off`.
  Result<std::string> AuditPath() const;

 private:
  Result<std::string> BesideStore(const std::string& given, const char* ending,
                                  const char* setting) const;
};

// Who sits at this terminal, as the system knows it: for the record of acts.
std::string ActorHere();

}  // namespace jikji

#endif  // JIKJI_APP_STORE_SETTINGS_H_
