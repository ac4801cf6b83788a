#include "watcher/drivers/run_options.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace watcher {

namespace {

using std::string_view;
using Kind = RunProgram::Kind;

constexpr std::array programs{
    RunProgram{.names = " env ", .kind = Kind::runner, .with_argument = "uCS", .dir = 'C', .split = 'S'},
    RunProgram{.names = " sudo doas ", .kind = Kind::runner, .with_argument = "uhpCgTrtDR", .user = 'u', .dir = 'D'},
    RunProgram{.names = " su ", .kind = Kind::login, .with_argument = "csgGTw", .script = 'c'},
    RunProgram{.names = " runuser ", .kind = Kind::login, .with_argument = "ucsgGTw", .user = 'u', .script = 'c'},
    RunProgram{.names = " gosu su-exec s6-setuidgid setuidgid ", .kind = Kind::login},
    RunProgram{.names = " chpst ", .kind = Kind::runner, .with_argument = "uUbenlLmdopfcrt", .user = 'u'},
    RunProgram{.names =
                   " setpriv nohup setsid unbuffer linux64 linux32 setarch chronic tini dumb-init catatonit busybox "
                   "toybox faketime fakeroot firejail cgexec chroot systemd-inhibit pkexec dbus-run-session catchsegv ",
               .kind = Kind::runner},
    RunProgram{.names = " nice ionice chrt taskset numactl prlimit choom stdbuf ",
               .kind = Kind::runner,
               .with_argument = "ncPTDioemCN"},
    RunProgram{.names = " time ", .kind = Kind::runner, .with_argument = "fo"},
    RunProgram{.names = " timeout ", .kind = Kind::runner, .with_argument = "ks"},
    RunProgram{.names = " flock ", .kind = Kind::runner, .with_argument = "wEc", .script = 'c'},
    RunProgram{.names = " xargs parallel ", .kind = Kind::runner, .with_argument = "aEIdLnPsj", .attached = "eil"},
    RunProgram{.names = " watch ", .kind = Kind::runner, .with_argument = "n"},
    RunProgram{.names = " strace ltrace ", .kind = Kind::runner, .with_argument = "eopEuasSPIbX"},
    RunProgram{.names = " nsenter ", .kind = Kind::runner, .with_argument = "tSG"},
    RunProgram{.names = " unshare ", .kind = Kind::runner, .with_argument = "SGRw"},
    RunProgram{.names = " systemd-run ", .kind = Kind::runner, .with_argument = "upMEH"},
    RunProgram{.names = " softlimit ", .kind = Kind::runner, .with_argument = "acdflmnoprst"},
    RunProgram{.names = " xvfb-run ", .kind = Kind::runner, .with_argument = "nefpsw"},
    RunProgram{.names = " screen ", .kind = Kind::runner, .with_argument = "cehpsStT"},
    RunProgram{
        .names = " script ", .kind = Kind::reader, .with_argument = "cEImoTtB", .aside = "EImoTtB", .script = 'c'},
    RunProgram{.names = " start-stop-daemon ",
               .kind = Kind::reader,
               .with_argument = "xauncdpgrkNPIO",
               .aside = "uncdpgrkNPIO"},
    RunProgram{.names = " ld-linux ld-musl ld.so ", .kind = Kind::runner},
    RunProgram{.names = " sh bash dash ksh zsh ash rbash mksh fish ", .kind = Kind::shell, .with_argument = "oO"},
    RunProgram{.names = " python pypy ", .kind = Kind::interpreter, .with_argument = "WXQ", .last = "cm"},
    RunProgram{
        .names = " perl ", .kind = Kind::interpreter, .with_argument = "I", .attached = "MmxFCDdiV", .code = "eE"},
    RunProgram{.names = " ruby ",
               .kind = Kind::interpreter,
               .with_argument = "rIEC",
               .attached = "WKFxiT0",
               .code = "e",
               .dir = 'C'},
    RunProgram{.names = " node nodejs deno bun ", .kind = Kind::interpreter, .with_argument = "rC", .code = "e"},
    RunProgram{.names = " php ", .kind = Kind::interpreter, .with_argument = "cdztS", .code = "rBREfF"},
    RunProgram{.names = " lua luajit ", .kind = Kind::interpreter, .with_argument = "l", .code = "e"},
    RunProgram{.names = " tclsh expect wish ", .kind = Kind::interpreter, .attached = "d", .code = "cf"},
    RunProgram{.names = " logrotate ", .kind = Kind::interpreter, .with_argument = "sml"},
    RunProgram{.names = " ansible-playbook ", .kind = Kind::interpreter, .with_argument = "iMeltucf"},
    RunProgram{.names = " alembic supervisorctl supervisord ", .kind = Kind::reader, .with_argument = "c"},
    RunProgram{.names = " npm yarn pnpm ", .kind = Kind::reader, .with_argument = "C"},
    RunProgram{.names = " awk gawk mawk nawk original-awk ", .kind = Kind::reader, .with_argument = "vFfEilW"},
    RunProgram{.names = " sed ", .kind = Kind::reader, .with_argument = "fel", .attached = "i"},
    RunProgram{.names = " make gmake ", .kind = Kind::reader, .with_argument = "fCIoW", .attached = "jl", .dir = 'C'},
    RunProgram{.names = " tar bsdtar gtar ",
               .kind = Kind::reader,
               .with_argument = "bCfFgHIKLNTVX",
               .aside = "bCfgHKLNTVX",
               .script = 'I'},
    RunProgram{.names = " rsync ", .kind = Kind::reader, .with_argument = "eTBMf", .aside = "TBMf", .script = 'e'},
    RunProgram{.names = " gunicorn ", .kind = Kind::reader, .with_argument = "bckwtugpmen", .aside = "bkwtugpmen"},
    RunProgram{.names = " psql ", .kind = Kind::client, .with_argument = "cdfFhLopPRTUv", .aside = "cdFhLopPRTUv"},
    RunProgram{.names = " mysql mariadb ",
               .kind = Kind::client,
               .with_argument = "hPuDeS",
               .attached = "p",
               .aside = "hPuDeS"},
    RunProgram{.names = " sqlite3 ", .kind = Kind::client},
    RunProgram{.names = " run-parts ", .kind = Kind::folder, .with_argument = "au", .aside = "au"},
    RunProgram{.names = " java ", .kind = Kind::java},
    RunProgram{.names = " docker podman docker-compose podman-compose ",
               .kind = Kind::composer,
               .with_argument = "fp",
               .aside = "p"},
    RunProgram{.names = " ssh scp sftp autossh ",
               .kind = Kind::reader,
               .with_argument = "bcDEeFIiJLlMmOopPQRSwW",
               .aside = "bcDEeIJLlMmOpPQRwW"},
};

// Options of many letters whose argument is the next word, unless it stands behind a `=`.
constexpr std::array<string_view, 46> with_argument{"--chdir",
                                                    "--directory",
                                                    "--working-directory",
                                                    "--user",
                                                    "--reuid",
                                                    "--uid",
                                                    "--command",
                                                    "--rcfile",
                                                    "--init-file",
                                                    "--require",
                                                    "--import",
                                                    "--loader",
                                                    "--file",
                                                    "--makefile",
                                                    "--include",
                                                    "--signal",
                                                    "--kill-after",
                                                    "--unit",
                                                    "--regid",
                                                    "--gid",
                                                    "--group",
                                                    "--property",
                                                    "--library-path",
                                                    "--preload",
                                                    "--unset",
                                                    "--env",
                                                    "--groups",
                                                    "--arg-file",
                                                    "--env-file",
                                                    "--split-string",
                                                    "--session-command",
                                                    "--setenv",
                                                    "--old-file",
                                                    "--exec",
                                                    "--project-directory",
                                                    "--startas",
                                                    "--prefix",
                                                    "--cwd",
                                                    "--config",
                                                    "--rsh",
                                                    "--use-compress-program",
                                                    "--to-command",
                                                    "--info-script",
                                                    "--new-volume-script",
                                                    "--rmt-command",
                                                    "--checkpoint-action"};

// The argument is a shell's script.
constexpr std::array<string_view, 8> with_script{
    "--command",    "--session-command", "--rsh",         "--use-compress-program",
    "--to-command", "--info-script",     "--rmt-command", "--new-volume-script"};

template <std::size_t Size>
bool has_name(const std::array<string_view, Size>& names, string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has(string_view letters, char letter) { return letters.find(letter) != string_view::npos; }

class Reading {
 public:
  Reading(const RunProgram& program, std::span<const std::string> words) : program_(program), words_(words) {}

  CommandOptions run() && {
    while (out_.behind < words_.size() && !is_over_) {
      const string_view word = words_[out_.behind];
      if (word.empty() || (word.front() != '-' && word.front() != '+')) break;
      ++out_.behind;
      if (word == "--") break;
      if (word.starts_with("--"))
        long_option(word);
      else
        letters(word);
    }
    return std::move(out_);
  }

 private:
  std::string next() { return out_.behind < words_.size() ? words_[out_.behind++] : std::string(); }

  void long_option(string_view word) {
    const string_view name = word.substr(0, word.find('='));
    if (name == "--eval" || name == "--print") out_.is_inline = true;
    const bool is_attached = name.size() < word.size();
    const bool takes_next = has_name(with_argument, name) && (name != "--user" || program_.user != '\0');
    if (!is_attached && !takes_next) return;
    std::string value = is_attached ? std::string(word.substr(name.size() + 1)) : next();
    if (name == "--chdir" || name == "--directory" || name == "--working-directory" || name == "--project-directory")
      out_.dir = std::move(value);
    else if (name == "--user" || name == "--reuid" || name == "--uid")
      out_.user = std::move(value);
    else if (has_name(with_script, name))
      out_.script = std::move(value);
    else if (name == "--checkpoint-action" && value.starts_with("exec="))
      out_.script = value.substr(5);
    else if (name == "--split-string")
      out_.split = std::move(value);
    else
      out_.arguments.push_back(std::move(value));
  }

  void letters(string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const char c = word[i];
      const string_view rest = word.substr(i + 1);
      if (program_.kind == Kind::shell && c == 'c') out_.is_inline = true;
      if (has("ep", c) && program_.names.starts_with(" node")) out_.is_inline = true;
      if (has(program_.last, c)) {
        out_.is_inline = is_over_ = true;
        return;
      }
      if (has(program_.attached, c)) {
        out_.arguments.emplace_back(rest);
        return;
      }
      if (!has(program_.with_argument, c) && !has(program_.code, c)) continue;
      out_.is_inline |= has(program_.code, c);
      return argument(c, rest.empty() ? next() : std::string(rest));
    }
  }

  void argument(char letter, std::string value) {
    if (letter == program_.user)
      out_.user = std::move(value);
    else if (letter == program_.dir)
      out_.dir = std::move(value);
    else if (letter == program_.script)
      out_.script = std::move(value);
    else if (letter == program_.split)
      out_.split = std::move(value);
    else if (!has(program_.aside, letter))
      out_.arguments.push_back(std::move(value));
  }

  const RunProgram& program_;
  std::span<const std::string> words_;
  CommandOptions out_;
  bool is_over_ = false;
};

// By each of their names, found once: a thousand services ask every 20 s.
const RunProgram* called(string_view name) {
  static const std::map<string_view, const RunProgram*> by_name = [] {
    std::map<string_view, const RunProgram*> out;
    for (const RunProgram& program : programs) {
      const string_view names = program.names;
      for (std::size_t at = names.find_first_not_of(' '); at != names.npos; at = names.find_first_not_of(' ', at)) {
        const std::size_t end = std::min(names.find(' ', at), names.size());
        out.emplace(names.substr(at, end - at), &program);
        at = end;
      }
    }
    return out;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

}  // namespace

const RunProgram* run_program(string_view program) {
  const string_view name = program.substr(program.rfind('/') + 1);
  // ld-linux-x86-64.so.2 is one, too.
  const std::size_t end =
      name.starts_with("ld-") ? name.find_first_of("-.", 3) : name.find_last_not_of("0123456789.") + 1;
  const string_view plain = name.substr(0, end);
  if (plain.empty()) return nullptr;
  const RunProgram* const with_number = called(name);
  const RunProgram* const without = called(plain);
  if (with_number == nullptr || without == nullptr) return with_number == nullptr ? without : with_number;
  return std::min(with_number, without);  // what is listed first
}

CommandOptions options_of(const RunProgram& program, std::span<const std::string> words) {
  return Reading(program, words).run();
}

}  // namespace watcher
