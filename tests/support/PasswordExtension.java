import com.hivemq.extension.sdk.api.ExtensionMain;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.packets.connect.ConnackReasonCode;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartOutput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopOutput;
import com.hivemq.extension.sdk.api.services.Services;
import java.nio.charset.StandardCharsets;

/** Lets in whoever says the password; the broker itself lets nobody in. */
public final class PasswordExtension implements ExtensionMain {
    @Override
    public void extensionStart(ExtensionStartInput input, ExtensionStartOutput output) {
        String expected = System.getProperty("tests.mqtt.password");
        SimpleAuthenticator authenticator = (attempt, answer) -> {
            String given = attempt.getConnectPacket().getPassword()
                .map(bytes -> StandardCharsets.UTF_8.decode(bytes).toString()).orElse("");
            if (given.equals(expected)) {
                answer.authenticateSuccessfully();
            } else {
                answer.failAuthentication(ConnackReasonCode.BAD_USER_NAME_OR_PASSWORD, "password");
            }
        };
        Services.securityRegistry().setAuthenticatorProvider(who -> authenticator);
    }

    @Override
    public void extensionStop(ExtensionStopInput input, ExtensionStopOutput output) {}
}
