#pragma once

#include <string>
#include <vector>

namespace rules {

// Secrets that stand in the words of a command as they are: what a header that sounds secret has (-H "Authorization:
// Bearer X", "X-Api-Key: X"), a cookie (-b session=X), the password of -u user:X, --password X, API_TOKEN=X, ?token=X,
// "password": "X", and -p X, -a X, -w X of programs that take a password so (mysql, sshpass, redis-cli, ldapsearch,
// ...); the same in what a shell is given in a word. A variable ($X), what is filled in ({to}) and a file's name are
// none.
std::vector<std::string> secrets_in_command(const std::vector<std::string>& argv);

// The words for people, those secrets and passwords in addresses as <redacted>. What is shorter than 4 bytes is left.
std::vector<std::string> told_words(std::vector<std::string> argv);

}  // namespace rules
