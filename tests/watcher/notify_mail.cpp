#include <chrono>
#include <future>
#include <utility>

#include "journal_support.hpp"
#include "notify_receiver.hpp"
#include "watcher/notify/notifiers.hpp"

// How long a mail server is waited for.

namespace {

using journal_support::contains;
using namespace std::chrono_literals;

// One connection of a mail server of the test's: each line is answered at once, and the end of a mail when `says_yes`.
class MailServer {
 public:
  explicit MailServer(bool greets) : greets_(greets) {
    thread_ = std::thread([this] { talk(::accept4(listener_.socket, nullptr, nullptr, SOCK_CLOEXEC)); });
  }
  ~MailServer() {
    ::shutdown(listener_.socket, SHUT_RDWR);
    say_yes();
    thread_.join();
    ::close(listener_.socket);
  }
  std::string url() const { return "smtp://127.0.0.1:" + std::to_string(listener_.port); }
  void wait_for_mail() { REQUIRE(has_mail_.get_future().wait_for(20s) == std::future_status::ready); }
  void say_yes() {
    if (!std::exchange(has_said_, true)) say_yes_.set_value();
  }

 private:
  static bool say(int connection, std::string_view text) {
    return ::send(connection, text.data(), text.size(), MSG_NOSIGNAL) > 0;
  }
  void talk(int connection) {
    std::future<void> yes = say_yes_.get_future();
    if (!greets_) yes.wait();
    bool goes_on = say(connection, "220 mail\r\n");
    std::string said;
    bool is_mail = false;
    char piece[4096];
    while (goes_on) {
      const ssize_t length = ::recv(connection, piece, sizeof piece, 0);
      if (length <= 0) break;
      said.append(piece, static_cast<std::size_t>(length));
      if (is_mail && !said.ends_with("\r\n.\r\n")) continue;
      if (!said.ends_with("\r\n")) continue;
      if (is_mail) {
        has_mail_.set_value();
        yes.wait();
      }
      const bool begins = said.starts_with("DATA");
      is_mail = !is_mail && begins;
      goes_on = say(connection, begins ? "354 go\r\n" : "250 ok\r\n");
      said.clear();
    }
    ::close(connection);
  }

  bool greets_;
  const notify_receiver::Listener listener_ = notify_receiver::listen_here();
  std::promise<void> has_mail_;
  std::promise<void> say_yes_;
  bool has_said_ = false;
  std::thread thread_;
};

watcher::NotifierSection mail_to(const std::string& server) {
  watcher::EmailNotifier mail;
  mail.server = server;
  mail.from = "rollbackd@example.com";
  mail.to = {"ops@example.com"};
  mail.starttls = false;
  watcher::NotifierSection section;
  section.name = rules::NotifierName("team");
  section.kind = mail;
  return section;
}

constexpr rules::Duration limit = 50ms;  // a mail is given three times as long
const char* const mail = "Subject: x\r\n\r\nx\r\n";

}  // namespace

TEST_CASE("a mail server that has a mail is waited for, so that it does not get it twice") {
  MailServer server(true);
  auto delivery = std::async(std::launch::async, [&] {
    return watcher::deliver(mail_to(server.url()), mail, {"key-1", {}}, limit);
  });
  server.wait_for_mail();
  CHECK(delivery.wait_for(2500ms) == std::future_status::timeout);
  server.say_yes();
  CHECK(delivery.get().delivered);
}

TEST_CASE("a mail server that says yes late is not waited for by who is about to end") {
  MailServer server(true);
  std::atomic<bool> is_hurried = false;
  auto delivery = std::async(std::launch::async, [&] {
    return watcher::deliver(mail_to(server.url()), mail, {"key-1", {}}, limit, &is_hurried);
  });
  server.wait_for_mail();
  is_hurried = true;
  const watcher::Delivery result = delivery.get();
  CHECK_FALSE(result.delivered);
  CHECK_FALSE(result.permanent);
  CHECK(contains(result.error, "it took too long"));
}

TEST_CASE("a mail server that takes no mail is given up at the limit") {
  MailServer server(false);
  const watcher::Delivery result = watcher::deliver(mail_to(server.url()), mail, {"key-1", {}}, limit);
  CHECK_FALSE(result.delivered);
  CHECK_FALSE(result.permanent);
}
