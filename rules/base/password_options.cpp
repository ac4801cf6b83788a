#include "rules/base/password_options.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace rules {

namespace {

using Meaning = OptionMeaning;

constexpr std::array options{
    PasswordOption{" curl ", 'u', Meaning::credentials, true},
    PasswordOption{" curl ", 'U', Meaning::credentials, true},
    PasswordOption{" curl ", 'b', Meaning::cookie, true},
    PasswordOption{
        " mysql mysqldump mysqladmin mysqlcheck mysqlimport mysqlshow mysqlpump mysqlslap mariadb mariadb-dump "
        "mariadb-admin mariadb-check mariadb-import mariadb-backup xtrabackup ",
        'p', Meaning::secret, false},
    PasswordOption{
        " sshpass mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh nodetool rabbitmqadmin login "
        "ipmitool ",
        'p', Meaning::secret, true},
    PasswordOption{" 7z 7za 7zr rar unrar ", 'p', Meaning::secret, false},
    PasswordOption{" redis-cli valkey-cli keydb-cli ", 'a', Meaning::secret, true},
    PasswordOption{" http https xh xhs ", 'a', Meaning::credentials, true},
    PasswordOption{" ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ", 'w', Meaning::secret, true},
    PasswordOption{" mosquitto_pub mosquitto_sub sqlcmd bcp zip unzip ipmitool ", 'P', Meaning::secret, true},
    // Here -u and -p are something else.
    PasswordOption{
        " docker podman nerdctl kubectl install su sudo doas runuser setpriv nsenter unshare chroot id systemctl "
        "journalctl systemd-run sort diff date ",
        'u', Meaning::nothing, false},
    PasswordOption{
        " docker docker-compose podman nerdctl kubectl ssh scp sftp nc ncat mkdir install cp tar rsync make git ls ps "
        "pgrep pkill mount lsof ss netstat perl patch grep find systemctl journalctl systemd-run redis-cli psql "
        "pg_dump pg_restore pg_isready createdb dropdb curl npm npx yarn pnpm rmdir ",
        'p', Meaning::nothing, false},
    // Of any other program.
    PasswordOption{"", 'H', Meaning::header, true},
    PasswordOption{"", 'u', Meaning::credentials, true},
    PasswordOption{"", 'p', Meaning::maybe, true},
};

bool is_of(const PasswordOption& option, std::string_view program) {
  return !program.empty() && option.programs.find(" " + std::string(program) + " ") != std::string_view::npos;
}

}  // namespace

const PasswordOption* password_option(std::string_view program, char letter) {
  for (const PasswordOption& each : options) {
    if (each.letter == letter && (each.programs.empty() || is_of(each, program))) return &each;
  }
  return nullptr;
}

bool has_password_options(std::string_view program) {
  return std::any_of(options.begin(), options.end(), [&](const auto& each) { return is_of(each, program); });
}

}  // namespace rules
