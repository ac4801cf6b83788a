"""What Kubernetes gives a pod: a service account's folder, as the kubelet keeps it, and an authority of the test's own."""

import os
import subprocess

EXTENSIONS = "subjectAltName=IP:127.0.0.1"


class ServiceAccount:
    def __init__(self, folder):
        self.folder = folder / "pod"
        self.place = self.folder / "serviceaccount"
        self.empty = self.folder / "empty"
        for one in (self.folder, self.place, self.empty):
            one.mkdir(mode=0o755)
        self.ca = self.authority("ca")
        self.tls = self.certificate("api")
        self.count = 0
        for name in ("token", "ca.crt", "namespace"):
            (self.place / name).symlink_to(f"..data/{name}")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.pem")
        return (self.folder / f"{name}.pem").read_text()

    def certificate(self, name):
        (self.folder / "extensions").write_text(EXTENSIONS)
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", f"{name}.pem")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def put(self, token, ca=None):
        """All files at once, as the kubelet exchanges them."""
        self.count += 1
        new = self.place / f"..{self.count}"
        new.mkdir()
        for name, text in (("token", token), ("ca.crt", ca or self.ca), ("namespace", "shop")):
            (new / name).write_text(text)
        (self.place / "..new").symlink_to(new.name)
        os.replace(self.place / "..new", self.place / "..data")

    def environment(self, port):
        """Of a pod without kubectl."""
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port), "ROLLBACKD_SERVICE_ACCOUNT": str(self.place),
                "PATH": str(self.empty), "HOME": str(self.empty)}
