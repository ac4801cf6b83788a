#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "config_files.hpp"
#include "test_folder.hpp"
#include "watcher/run/backup_users.hpp"

// Which steps are not begun without a backup, because what they run reads ROLLBACKD_BACKUP.

namespace {

namespace fs = std::filesystem;

void write_script(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << "#!/bin/sh\n" << text;
  fs::permissions(path, fs::perms::owner_all);
}

// The command as TOML writes it; PLACE is the folder in which it starts.
bool uses_backup(const TestFolder& folder, std::string run) {
  for (std::size_t at = run.find("PLACE"); at != std::string::npos; at = run.find("PLACE"))
    run.replace(at, 5, folder.path);
  const watcher::Config config = loaded("[service.web]\ndir = '" + folder.path +
                                        "'\nrollback = ['true', '{to}']\nidentify = ['true']\n"
                                        "[action.restore]\n[[action.restore.step]]\nrun = " +
                                        run + "\n");
  rules::CoreConfig core = config.core;
  watcher::mark_backup_users(core, config);
  for (const rules::ActionSpec& action : core.actions) {
    if (action.name.text == "restore") return action.uses_backup();
  }
  return false;
}

}  // namespace

TEST_CASE("a backup is used also where a script in a word, or one that another one runs, reads it") {
  const TestFolder folder;
  write_script(folder.file("restore.sh"), "psql <\"$ROLLBACKD_BACKUP\"\n");
  write_script(folder.file("bin/inner.sh"), "set -e\n. ./env.sh; ./restore.sh && echo done\n");
  write_script(folder.file("outer.sh"), "cd " + folder.path + " || exit 1\nif true; then exec bin/inner.sh; fi\n");
  write_script(folder.file("sub/here.sh"), "HERE=$(dirname \"$0\")\n\"$HERE/there.sh\" --all\n");
  write_script(folder.file("sub/there.sh"), "sh \"$(dirname \"$0\")/../restore.sh\"\n");
  write_script(folder.file("sub/beside.sh"), "bash \"$(dirname \"$0\")/last.sh\"\n");
  write_script(folder.file("sub/last.sh"), "echo ${ROLLBACKD_BACKUP:?}\n");
  for (const char* const run :
       {"['sh', '-c', './restore.sh && echo done']", "['sh', '-c', 'true && PLACE/restore.sh']", "['./restore.sh']",
        "['sh', '-ec', 'echo $ROLLBACKD_BACKUP']", "['bin/inner.sh']", "['sh', 'bin/inner.sh']", "['./outer.sh']",
        "['timeout', '60', './outer.sh']", "['sub/here.sh']", "['sub/beside.sh']"}) {
    CAPTURE(run);
    CHECK(uses_backup(folder, run));
  }
}

TEST_CASE("a script that only names one that reads a backup uses none, and circles end") {
  const TestFolder folder;
  write_script(folder.file("restore.sh"), "psql <\"$ROLLBACKD_BACKUP\"\n");
  write_script(folder.file("says.sh"), "# then ./restore.sh\necho \"the data come back by $PWD/restore.sh\"\n");
  write_script(folder.file("round.sh"), "./about.sh\n");
  write_script(folder.file("about.sh"), "./round.sh\n");
  for (const char* const run :
       {"['sh', '-c', 'echo ./restore.sh.bak']", "['./says.sh']", "['./round.sh']", "['true']", "['./missing.sh']"}) {
    CAPTURE(run);
    CHECK_FALSE(uses_backup(folder, run));
  }
}
